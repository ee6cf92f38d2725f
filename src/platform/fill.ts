import type { Environment } from '../model/environment.ts';
import { fillAll } from '../migrations/backfill/fill-all.ts';
import { chooseEngine } from '../migrations/engines/choose.ts';
import { withOwnerSession } from '../migrations/owner-session.ts';
import { rows, withFixedPath, type Client } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { withClient, withOwnSession } from '../postgres/session.ts';
import { ensureControlSchema, forgetOrigin } from '../postgres/control.ts';
import { defaultsFollow, handOver, migrationOwner, ownInOthersSchemas } from '../postgres/owners.ts';
import { setLogins } from '../postgres/logins.ts';
import { ident } from '../postgres/quote.ts';
import { readersOf } from '../postgres/readers.ts';
import type { Servers } from './port/servers.ts';
import { connectionIn } from './connection-in.ts';

/**
 * Fills the first colour of a new environment, before anybody can connect: roles, database, Verdigris's own schema, the
 * caller's content, the migrations of its release, grants. Safe to run again as long as `fill` is.
 */
export async function fillServer(
  environment: Environment,
  servers: Pick<Servers, 'connection'>,
  credentials: Readonly<Record<string, string>>,
  fill?: (client: Client) => Promise<void>,
): Promise<void> {
  const { live, database, roles } = environment;
  const connection = await connectionIn(servers, live, database);
  await withOwnSession(await servers.connection(live), 'create', async (client) => {
    const present = async (sql: string, name: string): Promise<boolean> => (await rows(client, sql, [name])).length > 0;
    const role = (name: string): Promise<boolean> => present('SELECT FROM pg_roles WHERE rolname = $1', name);
    if (!(await role('postgres'))) await client.query('CREATE ROLE postgres SUPERUSER LOGIN');
    for (const name of Object.keys(credentials))
      if (!(await role(name))) await client.query(`CREATE ROLE ${ident(name)} LOGIN`);
    const { owner = 'postgres' } = roles;
    if (!(await role(owner))) await client.query(`CREATE ROLE ${ident(owner)}`);
    if (!(await present('SELECT FROM pg_database WHERE datname = $1', database)))
      await client.query(`CREATE DATABASE ${ident(database)} OWNER ${ident(owner)}`);
  });
  if (fill) await withClient(connection, 'create', fill);
  await withOwnSession(connection, 'create', async (client) => {
    // A dump of an environment's database brings the schema along.
    await ensureControlSchema(client);
    await forgetOrigin(client);
    // Whoever only looks asks by them, from the first day on.
    await readersOf(client, connection);
    // Last: a dump may have passwords of its own for them.
    for (const [name, password] of Object.entries(credentials))
      await setLogins(client, name, { login: name, password }, undefined);
  });
  const owner = await withOwnSession(connection, 'create', async (client) => {
    // A dump without owners is the operator's by now: who is declared to own it all gets it before he changes it.
    if (roles.owner !== undefined) await handOver(client, new Set());
    return migrationOwner(client, roles.owner);
  });
  const before = await withOwnSession(connection, 'create', ownInOthersSchemas);
  await migrate(environment, connection, owner);
  await withOwnSession(connection, 'create', (client) => handOver(client, before));
  await withOwnSession(connection, 'create', (client) => grant(client, roles));
}

/** The migrations of the first release. */
async function migrate(
  { live, colours }: Environment,
  connection: ConnectionSettings,
  owner: string | undefined,
): Promise<void> {
  const { migrations: folder, release = '', engine } = colours[live] ?? {};
  if (folder === undefined) return;
  const { signal } = new AbortController();
  await withClient(connection, 'create', async (operator) => {
    const target = { client: operator, connection, owner, lockTimeout: 0, statementTimeout: 0 };
    const chosen = await withFixedPath(operator, () => chooseEngine(folder, engine, operator));
    await chosen.apply({
      ...target,
      release,
      signal,
      onProgress: () => undefined,
      backfillsBefore: (version, client) =>
        fillAll({ client, operator, owner }, folder, release, signal, version).then(() => undefined),
    });
    await withOwnerSession({ ...target, quietly: true }, (client) =>
      fillAll({ client, operator, owner }, folder, release, signal),
    );
  });
}

/**
 * Application roles may read and write everything, readers read it; now and for what the operator, or the owner, makes
 * later.
 */
export async function grant(client: Client, roles: Environment['roles']): Promise<void> {
  const owner = await migrationOwner(client, roles.owner);
  const schemas = await rows<{ name: string }>(
    client,
    "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'verdigris')",
  );
  for (const { name } of schemas) {
    const schema = ident(name);
    for (const role of roles.application.map((each) => ident(each))) {
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT
        SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ${schema} TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ${role}`);
    }
    for (const role of roles.readers.map((each) => ident(each))) {
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${role}`);
    }
  }
  if (owner !== undefined) await defaultsFollow(client, owner);
}
