import { randomBytes } from 'node:crypto';
import { migrationRole } from '../../model/names.ts';
import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { ident, literal } from '../../postgres/quote.ts';
import { quietly } from '../../postgres/secretly.ts';
import { passwordClause } from '../../postgres/verifier.ts';
import type { MigrationTarget } from '../engine.ts';

export interface Login extends ConnectionSettings {
  readonly password: string;
}

/**
 * A login over TCP with a password of its own for the length of `use`: JDBC knows no Unix sockets, and a tool is not to
 * be handed the operator's credentials, which would outlive it. Whoever logs in so becomes the owner at once, or the
 * operator where there is none (the role's setting `role`), so that nothing that a migration makes belongs to the role
 * that goes. Afterwards its sessions are ended and it is dropped: then nothing of the tool can go on in the database,
 * whatever became of its processes.
 */
export async function withMigrationRole<T>(
  target: Pick<
    MigrationTarget,
    'client' | 'connection' | 'owner' | 'lockTimeout' | 'statementTimeout' | 'sessionSettings'
  > & { readonly login?: string },
  use: (login: Login) => Promise<T>,
): Promise<T> {
  const { client, connection, login = migrationRole } = target;
  const { others: _, passwordFrom: __, ...reach } = connection;
  const owner = target.owner ?? connection.user;
  const password = randomBytes(24).toString('base64url');
  await withFixedPath(client, () => dropMigrationRole(client, login));
  const settings = {
    ...target.sessionSettings,
    role: owner,
    lock_timeout: String(target.lockTimeout),
    statement_timeout: String(target.statementTimeout),
    synchronous_commit: 'local',
    default_transaction_read_only: 'off',
  };
  await quietly(client, async () => {
    await client.query(
      `CREATE ROLE ${login} LOGIN ${passwordClause(password)} VALID UNTIL ` +
        `${literal(new Date(Date.now() + 86_400_000).toISOString())} IN ROLE ${ident(owner)}`,
    );
    for (const [name, value] of Object.entries(settings))
      await client.query(`ALTER ROLE ${login} SET ${name} = ${literal(value)}`);
  });
  let result: T;
  try {
    result = await use({
      ...reach,
      host: connection.host.startsWith('/') ? '127.0.0.1' : connection.host,
      user: login,
      password,
    });
  } catch (error) {
    // The next run drops it first, where it cannot be dropped now.
    await withFixedPath(client, () => dropMigrationRole(client, login)).catch(() => undefined);
    throw error;
  }
  await withFixedPath(client, () => dropMigrationRole(client, login));
  return result;
}

/**
 * Ends whatever a run left, its own or one whose operator was killed. SQL that says SET ROLE NONE makes objects as the
 * login itself: they become the owner's whose member it is, and never the operator's, for a function can run with its
 * owner's rights.
 */
export async function dropMigrationRole(client: Client, login: string = migrationRole): Promise<void> {
  const found = await readLogin(client, login);
  if (!found) return;
  await client.query(`ALTER ROLE ${login} NOLOGIN`);
  await client.query(
    'SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity WHERE usename = $1::pg_catalog.name',
    [login],
  );
  await client.query(`${disowning(login, found.owner)}; DROP ROLE ${login}`);
}

/** Whose member it is. */
async function readLogin(client: Client, login: string): Promise<{ readonly owner: string | null } | undefined> {
  const [found] = await rows<{ owner: string | null }>(
    client,
    `SELECT (SELECT pg_catalog.quote_ident(o.rolname) FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles o ON o.oid = m.roleid
      WHERE m.member = r.oid ORDER BY m.roleid LIMIT 1) AS owner FROM pg_catalog.pg_roles r WHERE r.rolname = $1`,
    [login],
  );
  return found;
}

function disowning(login: string, owner: string | null): string {
  return `REASSIGN OWNED BY ${login} TO ${owner ?? 'CURRENT_USER'}; DROP OWNED BY ${login}`;
}

/**
 * Takes from the login what it made in this database, where an operator was killed: it cannot be dropped in another one
 * before.
 */
export async function disownMigrationRole(client: Client): Promise<void> {
  const found = await readLogin(client, migrationRole);
  if (found) await client.query(disowning(migrationRole, found.owner));
}

export function jdbcUrlOf({ host, port, database }: ConnectionSettings): string {
  return `jdbc:postgresql://${host}:${port}/${encodeURIComponent(database)}`;
}
