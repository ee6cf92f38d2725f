import type { Environment } from '../model/environment.ts';
import { fillAll } from '../migrations/backfill/fill-all.ts';
import { chooseEngine } from '../migrations/engines/choose.ts';
import { rows, withClient, withOwnSession, type Client } from '../postgres/client.ts';
import { ensureControlSchema } from '../postgres/control.ts';
import { ident, literal } from '../postgres/quote.ts';
import type { Servers } from './port.ts';

/**
 * Fills the first colour of a new environment, before anybody can connect: roles, database, Verdigris's own schema, the caller's
 * content, the migrations of its release, grants. Safe to run again as long as `fill` is.
 */
export async function fillServer(
  environment: Environment,
  servers: Pick<Servers, 'connection'>,
  credentials: Readonly<Record<string, string>>,
  fill?: (client: Client) => Promise<void>,
): Promise<void> {
  const { live, database, roles, colours } = environment;
  const connection = await servers.connection(live);
  await withOwnSession(connection, 'create', async (client) => {
    const present = async (sql: string, name: string): Promise<boolean> => (await rows(client, sql, [name])).length > 0;
    const role = (name: string): Promise<boolean> => present('SELECT FROM pg_roles WHERE rolname = $1', name);
    if (!(await role('postgres'))) await client.query('CREATE ROLE postgres SUPERUSER LOGIN');
    for (const [name, password] of Object.entries(credentials))
      await client.query(
        `${(await role(name)) ? 'ALTER' : 'CREATE'} ROLE ${ident(name)} LOGIN PASSWORD ${literal(password)}`,
      );
    if (!(await present('SELECT FROM pg_database WHERE datname = $1', database)))
      await client.query(`CREATE DATABASE ${ident(database)} OWNER postgres`);
  });
  await withOwnSession({ ...connection, database }, 'create', ensureControlSchema);
  await withClient({ ...connection, database }, 'create', async (client) => {
    await fill?.(client);
    const folder = colours[live]?.migrations;
    if (folder !== undefined) {
      const release = colours[live]?.release ?? '';
      const { signal } = new AbortController();
      await (
        await chooseEngine(folder, colours[live]?.engine)
      ).apply({
        client,
        connection: { ...connection, database },
        release,
        lockTimeout: 0,
        statementTimeout: 0,
        signal,
        onProgress: () => undefined,
        backfillsBefore: (version) => fillAll(client, folder, release, signal, version).then(() => undefined),
      });
      await fillAll(client, folder, release, signal);
    }
  });
  await withOwnSession({ ...connection, database }, 'create', (client) => grant(client, roles));
}

/** Application roles may read and write everything, readers read it; now and for what postgres makes later. */
export async function grant(client: Client, roles: Environment['roles']): Promise<void> {
  const schemas = await rows<{ name: string }>(
    client,
    "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'verdigris')",
  );
  for (const { name } of schemas) {
    const schema = ident(name);
    for (const role of roles.application.map((each) => ident(each))) {
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ${schema} TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ${role}`);
    }
    for (const role of roles.readers.map((each) => ident(each))) {
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${role}`);
    }
  }
}
