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

/** What names are found by, and how the catalogues print them: what one session reads is compared with another's. */
const ownNames = { search_path: 'pg_catalog, pg_temp', quote_all_identifiers: 'off' };

/**
 * Runs statements of Verdigris's own in a session that has the database's own names: nothing of anybody else's is found
 * by its bare name meanwhile, and names are printed as in every other session.
 * `use` is given the path that names of the user's SQL are found by, which holds again afterwards.
 */
export function withFixedPath<T>(client: Client, use: (theirs: string) => Promise<T>): Promise<T> {
  return withSettings(client, ownNames, use);
}

/**
 * The same in a session for the user's SQL, as the login itself: what the user's SQL runs as has no rights in
 * Verdigris's schema. Afterwards the session is what it was, by the login's own right to become it.
 */
export function asLogin<T>(client: Client, use: (theirs: string) => Promise<T>): Promise<T> {
  return withSettings(client, { ...ownNames, role: 'none' }, use);
}

type Settings = typeof ownNames & { readonly role?: string };

async function withSettings<T>(client: Client, own: Settings, use: (theirs: string) => Promise<T>): Promise<T> {
  // Names in these two statements are qualified: they run under whatever path there is.
  const names = Object.keys(own) as (keyof Settings)[];
  const set = (to: Settings): Promise<unknown> => {
    // What a transaction has by SET LOCAL, which must end with it, would be the session's otherwise.
    const local = client.getTransactionStatus() === 'T';
    return client.query(
      `SELECT ${names.map((name, place) => `pg_catalog.set_config('${name}', $${place + 1}, ${local})`).join(', ')}`,
      names.map((name) => to[name]),
    );
  };
  const theirs = await one<Settings>(
    client,
    `SELECT ${names.map((name) => `pg_catalog.current_setting('${name}') AS ${name}`).join(', ')}`,
  );
  await set(own);
  const result = await use(theirs.search_path).catch(async (error: unknown) => {
    // In a transaction that failed the rollback brings it back.
    await set(theirs).catch(() => undefined);
    throw error;
  });
  await set(theirs);
  return result;
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
