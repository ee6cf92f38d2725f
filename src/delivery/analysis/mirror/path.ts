import type { SeenRead } from '../../../model/seen-read.ts';
import { one, type Client } from '../../../postgres/client.ts';
import { ident, literal } from '../../../postgres/quote.ts';

/** The statement by which names in a client's statement mean what they mean to it, though somebody else runs it. */
export async function pathFor(
  live: Client,
  { user, path }: SeenRead,
  known: Map<string, Promise<string>>,
): Promise<string> {
  if (path !== undefined) return asTheirs(path, user);
  const found = known.get(user) ?? declaredFor(live, user);
  known.set(user, found);
  return `SELECT pg_catalog.set_config('search_path', ${literal(asTheirs(await found, user))}, false)`;
}

/** As a login of that role has it: its setting in this database, then its own, the database's, the server's. */
async function declaredFor(live: Client, user: string): Promise<string> {
  const { path } = await one<{ path: string }>(
    live,
    `SELECT coalesce(
      (SELECT substr(setting, length('search_path=') + 1)
      FROM pg_catalog.pg_db_role_setting s, unnest(setconfig) setting
      WHERE setting LIKE 'search\\_path=%' AND (setrole = 0 OR setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1))
        AND setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
      ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC LIMIT 1),
      (SELECT boot_val FROM pg_catalog.pg_settings WHERE name = 'search_path')) AS path`,
    [user],
  );
  return path;
}

function asTheirs(path: string, user: string): string {
  return path.replaceAll('"$user"', ident(user));
}
