import type pg from 'pg';

export type Client = pg.Client;

/** Runs `use` between BEGIN and COMMIT; any failure rolls back and is thrown on. */
export async function withTransaction<T>(client: Client, use: () => Promise<T>, mode = ''): Promise<T> {
  await client.query(`BEGIN ${mode}`);
  try {
    const result = await use();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Runs statements of Verdigris's own in a session that has the database's own names: nothing of anybody else's is found
 * by its bare name meanwhile.
 * `use` is given the path that names of the user's SQL are found by, which holds again afterwards.
 */
export async function withFixedPath<T>(client: Client, use: (theirs: string) => Promise<T>): Promise<T> {
  // Utility statements: no name in them is looked up.
  const { search_path: theirs } = await one<{ search_path: string }>(client, 'SHOW search_path');
  await client.query('SET search_path = pg_catalog, pg_temp');
  try {
    return await use(theirs);
  } finally {
    // In a transaction that failed the rollback brings it back.
    await client.query("SELECT pg_catalog.set_config('search_path', $1, false)", [theirs]).catch(() => undefined);
  }
}

export type Row = Readonly<Record<string, unknown>>;

/** All rows of a query. Values are always bound, never spliced. */
export async function rows<T = Row>(client: Client, sql: string, values: readonly unknown[] = []): Promise<T[]> {
  const result = await client.query(sql, values as unknown[]);
  return result.rows as T[];
}

/** The only row of a query. Throws a plain Error where there is not exactly one: that is a fault of ours. */
export async function one<T = Row>(client: Client, sql: string, values: readonly unknown[] = []): Promise<T> {
  const found = await rows<T>(client, sql, values);
  if (found.length !== 1) throw new Error(`expected one row, got ${found.length}: ${sql}`);
  return found[0] as T;
}
