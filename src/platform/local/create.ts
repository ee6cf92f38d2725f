import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { Environment } from '../../model/environment.ts';
import { newJournal, serializeJournal } from '../../model/journal.ts';
import { sqlEngine } from '../../migrations/sql.ts';
import { rows, withClient, type Client } from '../../postgres/client.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { ident, literal } from '../../postgres/quote.ts';
import { writeDurably } from './files.ts';
import type { LocalPlatform } from './platform.ts';
import { freePort } from './ports.ts';
import { isRunning, launchRouter, stopRouter } from './router/launch.ts';
import { recoverCommand } from './recover-command.ts';

const credentialsSchema = z.record(z.string(), z.string());

/** Role to password, of the roles that the declaration names. */
export type Credentials = z.output<typeof credentialsSchema>;

export interface CreateOptions {
  /** The declaration as it was written, for the recovery that the router runs by itself. */
  readonly raw: unknown;
  /** Fills the new database, as superuser, before anybody can connect. */
  readonly fill?: (client: Client) => Promise<void>;
}

/**
 * Makes an environment from nothing: first colour, database, roles with passwords, the schema of its release, journal, router.
 * Where it exists already, starts what is down; says so by `created`.
 */
export async function createEnvironment(environment: Environment, platform: LocalPlatform, options: CreateOptions): Promise<{ created: boolean; credentials: Credentials }> {
  if (await platform.journal.read()) {
    await startEnvironment(platform);
    return { created: false, credentials: await readCredentials(platform) };
  }
  const { live, colours, name } = environment;
  const declared = colours[live];
  if (!declared) throw new Error('a parsed declaration has its live colour');
  await platform.servers.supports(declared.postgres);
  const port = await freePort(environment.local.port);
  const credentials = Object.fromEntries([...environment.roles.application, ...environment.roles.readers].map((role) => [role, randomBytes(12).toString('base64url')]));
  await platform.servers.remove(live);
  await platform.servers.initialize(live, declared.postgres, 1);
  await fillServer(environment, platform, credentials, options.fill);
  await writeDurably(credentialsFile(platform), JSON.stringify(credentials));
  await writeDurably(platform.places.declaration, JSON.stringify(options.raw));
  await launch(environment, platform, port);
  await platform.journal.write(0, serializeJournal(newJournal(name, live, declared.release)));
  return { created: true, credentials };
}

/** Starts what is down of an environment that exists. */
export async function startEnvironment(platform: LocalPlatform): Promise<void> {
  for (const colour of ['blue', 'green'] as const) if (await platform.servers.observe(colour)) await platform.servers.start(colour);
  if (!(await isRunning(platform.places.router))) await launchRouter(platform.places.router);
}

/** Stops every process and removes every file of an environment. */
export async function destroyEnvironment(platform: LocalPlatform): Promise<void> {
  await stopRouter(platform.places.router);
  for (const colour of ['blue', 'green'] as const) await platform.servers.remove(colour);
  await rm(platform.places.root, { recursive: true, force: true });
  await rm(platform.places.socketsRoot, { recursive: true, force: true });
}

export async function readCredentials(platform: LocalPlatform): Promise<Credentials> {
  return credentialsSchema.parse(JSON.parse(await readFile(credentialsFile(platform), 'utf8')));
}

function credentialsFile(platform: LocalPlatform): string {
  return `${platform.places.root}/credentials.json`;
}

async function fillServer(environment: Environment, platform: LocalPlatform, credentials: Credentials, fill: CreateOptions['fill']): Promise<void> {
  const { live, database, roles, colours } = environment;
  const connection = await platform.servers.connection(live);
  await withClient(connection, 'create', async (client) => {
    const superuser = await rows(client, "SELECT FROM pg_roles WHERE rolname = 'postgres'");
    if (superuser.length === 0) await client.query('CREATE ROLE postgres SUPERUSER LOGIN');
    for (const [role, password] of Object.entries(credentials)) await client.query(`CREATE ROLE ${ident(role)} LOGIN PASSWORD ${literal(password)}`);
    await client.query(`CREATE DATABASE ${ident(database)} OWNER postgres`);
  });
  await withClient({ ...connection, database }, 'create', async (client) => {
    await ensureControlSchema(client);
    await fill?.(client);
    const folder = colours[live]?.migrations;
    if (folder !== undefined) {
      await sqlEngine(folder).apply({
        client, connection: { ...connection, database }, release: colours[live]?.release ?? '', lockTimeout: 0, statementTimeout: 0,
        signal: new AbortController().signal, onProgress: () => undefined,
      });
    }
    await grant(client, roles);
  });
}

/** Application roles may read and write everything, readers read it; now and for what postgres makes later. */
async function grant(client: Client, roles: Environment['roles']): Promise<void> {
  const schemas = await rows<{ name: string }>(client, "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'verdigris')");
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

export async function launch(environment: Environment, platform: LocalPlatform, port: number): Promise<void> {
  const { live } = environment;
  const folder = platform.places.router;
  await rm(folder, { recursive: true, force: true });
  const upstream = await platform.servers.upstream(live);
  if (!upstream) throw new Error('the live colour was just made');
  await launchRouter(folder, {
    environment: environment.name,
    listen: { host: '127.0.0.1', port },
    readers: environment.roles.readers,
    live,
    weights: { blue: live === 'blue' ? 100 : 0, green: live === 'green' ? 100 : 0 },
    upstreams: { [live]: upstream },
    recover: recoverCommand(platform.places),
  });
}

