import { rows, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';

/**
 * A statement that the live release runs, as pg_stat_statements of the live database has it: its parameters are `$1`,
 * their values unknown.
 */
export interface KnownStatement {
  readonly role: string;
  readonly query: string;
  readonly calls: number;
}

/** Statements kept, by the time that they take in all. */
const top = 50;

/** The live database's top statements of the application's roles, or why there are none. Reads only. */
export async function knownStatements(
  live: Client,
  roles: readonly string[],
): Promise<readonly KnownStatement[] | string> {
  const [extension] = await rows<{ schema: string }>(
    live,
    "SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements'",
  );
  if (!extension) return 'the extension pg_stat_statements is not installed in the live database';
  try {
    const found = await rows<KnownStatement>(
      live,
      `
      SELECT r.rolname AS role, s.query, s.calls::float8 AS calls FROM ${ident(extension.schema, 'pg_stat_statements')} s JOIN pg_roles r ON r.oid = s.userid
      WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.toplevel AND r.rolname = ANY ($1)
        AND s.query ~* '^\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES)\\M' AND s.query !~* '\\mpg_stat_statements\\M'
      ORDER BY s.total_exec_time DESC LIMIT ${top}`,
      [roles],
    );
    return found.length > 0 ? found : 'pg_stat_statements has no statement of the application roles';
  } catch (error) {
    return `pg_stat_statements cannot be read: ${(error as Error).message}`;
  }
}

/** Without parameters, so that it can be run as it is. */
export function isWhole({ query }: KnownStatement): boolean {
  return !/\$\d/.test(query);
}
