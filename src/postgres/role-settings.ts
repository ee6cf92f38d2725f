import { rows, type Client } from './client.ts';
import { ident, literal } from './quote.ts';

/**
 * Limits for clients, of postgresql.conf, ALTER DATABASE or ALTER ROLE … IN DATABASE, that would end what works for
 * Verdigris by a login of its own: a sender and the copy of a table, a process that applies, a migration's tool. What a
 * role has is above the first two; `options` in a connection string are not, for PostgreSQL puts its own in their place.
 */
export const noLimits = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  transaction_timeout: '0',
};

/**
 * Those that this major knows. `role`: of Verdigris's own, as SQL names it. What it has in one database alone would be
 * above them, and goes.
 */
export async function setForRole(
  client: Client,
  role: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const known = await rows<{ name: string }>(
    client,
    'SELECT name FROM pg_catalog.unnest($1::text[]) AS name WHERE pg_catalog.current_setting(name, true) IS NOT NULL',
    [Object.keys(settings)],
  );
  for (const { name } of known) await client.query(`ALTER ROLE ${role} SET ${name} = ${literal(settings[name] ?? '')}`);
  const above = await rows<{ database: string; name: string }>(
    client,
    `SELECT d.datname AS database, c.name FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
      JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, LATERAL (SELECT split_part(each, '=', 1) AS name FROM pg_catalog.unnest(s.setconfig) AS each) c
    WHERE lower(c.name) = ANY ($2) AND (quote_ident(r.rolname) = $1 OR $1 = 'CURRENT_USER' AND r.rolname = current_user)`,
    [role, Object.keys(settings)],
  );
  for (const { database, name } of above)
    await client.query(`ALTER ROLE ${role} IN DATABASE ${ident(database)} RESET ${ident(name)}`);
}
