import { randomBytes } from 'node:crypto';
import { migrationRole } from '../model/names.ts';
import { rows, withFixedPath, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { ident, literal } from './quote.ts';
import { noLimits, setForRole } from './role-settings.ts';
import { quietly } from './secretly.ts';
import { passwordClause } from './verifier.ts';

export interface Login extends ConnectionSettings {
  readonly password: string;
}

export interface LoginRequest {
  /** Who makes it, and where it logs in. */
  readonly client: Client;
  readonly connection: ConnectionSettings;
  readonly login?: string;
  /** Roles that it is a member of, and nothing else. */
  readonly owners: readonly string[];
  /** Settings of its sessions. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * A login over TCP with a password of its own for the length of `use`: JDBC knows no Unix sockets, and a tool is not to
 * be handed the operator's credentials, which would outlive it. What SQL of the user's calls finds no superuser to
 * return to. Afterwards its sessions are ended and it is dropped: then nothing of it can go on in the database, whatever
 * became of its processes.
 */
export async function withOwnerLogin<T>(given: LoginRequest, use: (login: Login) => Promise<T>): Promise<T> {
  const { client, connection, login = migrationRole, owners, settings } = given;
  const { others: _, passwordFrom: __, ...reach } = connection;
  const password = randomBytes(24).toString('base64url');
  await withFixedPath(client, () => dropLogin(client, login));
  await quietly(client, async () => {
    await client.query(
      `CREATE ROLE ${login} LOGIN ${passwordClause(password)} VALID UNTIL ` +
        `${literal(new Date(Date.now() + 86_400_000).toISOString())} IN ROLE ${owners.map((owner) => ident(owner)).join(', ')}`,
    );
    await setForRole(client, ident(login), noLimits);
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
    await withFixedPath(client, () => dropLogin(client, login)).catch(() => undefined);
    throw error;
  }
  await withFixedPath(client, () => dropLogin(client, login));
  return result;
}

/**
 * Ends whatever a run left, its own or one whose operator was killed. What was made as the login itself becomes the
 * owner's whose member it is, and never the operator's, for a function can run with its owner's rights.
 */
export async function dropLogin(client: Client, login: string = migrationRole): Promise<void> {
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
export async function disownLogin(client: Client): Promise<void> {
  const found = await readLogin(client, migrationRole);
  if (found) await client.query(disowning(migrationRole, found.owner));
}
