import { one, type Client } from './client.ts';

/**
 * Runs statements of Verdigris's own in a session for the user's SQL: as the login itself, for what the user's SQL runs
 * as has no rights in Verdigris's schema, and with names that nobody else's objects answer to. `use` is given the path
 * that names of the user's SQL are found by. Afterwards the session is what it was, by the login's own right to become
 * it.
 */
export async function asLogin<T>(client: Client, use: (theirs: string) => Promise<T>): Promise<T> {
  const { role, path } = await one<{ role: string; path: string }>(
    client,
    "SELECT pg_catalog.current_setting('role') AS role, pg_catalog.current_setting('search_path') AS path",
  );
  await client.query("SET role = 'none'; SET search_path = pg_catalog, pg_temp");
  const again = (): Promise<unknown> =>
    client.query("SELECT pg_catalog.set_config('search_path', $1, false), pg_catalog.set_config('role', $2, false)", [
      path,
      role,
    ]);
  const result = await use(path).catch(async (error: unknown) => {
    // In a transaction that failed the rollback brings it back.
    await again().catch(() => undefined);
    throw error;
  });
  await again();
  return result;
}
