import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnvironment } from '../../src/model/environment.ts';
import { operatorRole } from '../../src/model/names.ts';
import { destroyLocal } from '../../src/platform/local/lifecycle/destroy.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { credentials, declaredPasswords, withExternalServer, type ExternalFixture } from './external.ts';
import type { Failure } from './failure.ts';
import { reservedRole } from './managed.ts';
import { temporaryFolder } from './postgres.ts';

/** A managed service's server by its address: nobody who may log in there but the service itself is a superuser. */
interface ManagedServer extends ExternalFixture {
  /** The customer's first role, by which he makes all others. */
  readonly admin: ConnectionSettings;
  /** What the service's administration can do for a customer who asks. */
  ask(statements: readonly string[], database?: string): Promise<void>;
  /** Of the declaration, what says that a colour is this server. */
  readonly declared: Readonly<Record<string, unknown>>;
}

const password = 'the operator has this one';

/**
 * As a service hands a new server over: the customer's role, and Verdigris's made by it, with what docs/origins.md says
 * to grant.
 */
async function withManagedServer<T>(
  major: number,
  name: string,
  use: (server: ManagedServer) => Promise<T>,
): Promise<T> {
  return withExternalServer(
    major,
    async (server) => {
      const ask: ManagedServer['ask'] = (statements, database = 'postgres') =>
        withClient({ ...server.superuser, database }, 'test', async (client) => {
          for (const statement of statements) await client.query(statement);
        });
      const admin = { ...server.superuser, user: 'customer', password: 'of the customer' };
      await ask([
        `CREATE ROLE customer LOGIN CREATEROLE CREATEDB REPLICATION PASSWORD '${admin.password}'`,
        `CREATE ROLE ${operatorRole} LOGIN CREATEROLE CREATEDB REPLICATION PASSWORD '${password}'`,
        `GRANT pg_monitor, pg_signal_backend TO ${operatorRole}`,
        ...(major >= 15 ? [`GRANT pg_checkpoint TO ${operatorRole}`] : []),
        ...(major >= 16 ? [`GRANT pg_create_subscription TO ${operatorRole}`] : []),
      ]);
      const file = path.join(path.dirname(server.passwordFile), 'operator');
      await writeFile(file, `${password}\n`);
      const declared = {
        kind: 'external',
        host: '127.0.0.1',
        port: server.port,
        password: { file },
        sslmode: 'disable',
      };
      return use({ ...server, admin, ask, declared });
    },
    // By it the oracle tells one from the other: clusters that tests make share one system identifier.
    { cluster_name: name },
    reservedRole,
  );
}

/** The database `shop` as its customer has made it, owned by a role of its own; nothing of it is Verdigris's. */
async function fillManagedShop(server: ManagedServer): Promise<void> {
  await withClient(server.admin, 'test', async (client) => {
    for (const [role, secret] of Object.entries(credentials))
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
  });
  await fillDatabase(server, 'shop');
}

async function fillDatabase({ admin }: ManagedServer, database: string): Promise<void> {
  const owner = `${database}_owner`;
  await withClient(admin, 'test', async (client) => {
    await client.query(`CREATE ROLE ${owner} LOGIN PASSWORD 'of the owner'`);
    await client.query(`GRANT ${owner} TO customer`);
    await client.query(`CREATE DATABASE ${database} OWNER ${owner}`);
  });
  await withClient({ ...admin, user: owner, password: 'of the owner', database }, 'test', (client) =>
    prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 }),
  );
}

/** The oldest whose operator need be no superuser is 16; these are of npm's. */
const usual = 17;

/** One with the shop, as the live colour of a declaration that `create` has not been called with yet. */
export async function withManagedShop<T>(
  use: (declaration: Record<string, unknown>, here: ManagedServer) => Promise<T>,
  major = usual,
): Promise<T> {
  return withManagedServer(major, 'their-blue', async (here) => {
    await fillManagedShop(here);
    const declaration = {
      colours: { blue: { release: '1', postgres: major, server: here.declared } },
      fence: { accept: [reservedRole] },
      local: { passwords: declaredPasswords },
    };
    return use(declaration, here);
  });
}

/**
 * Two of them, the first with the shop and `further` databases. What `create` asks for there was granted, and is all
 * that it takes. `use` is given the declaration of a release between them, and the second.
 */
export async function betweenManaged<T>(
  use: (declaration: Record<string, unknown>, there: ManagedServer) => Promise<T>,
  further: readonly string[] = [],
): Promise<T> {
  return withManagedShop((shop, here) =>
    withManagedServer(usual, 'their-green', async (there) => {
      for (const database of further) await fillDatabase(here, database);
      const declaration = further.length === 0 ? shop : { ...shop, databases: further };
      await here.ask((await grantsAskedFor(declaration)) ?? [], 'shop');
      const { blue } = declaration['colours'] as { blue: unknown };
      const green = { release: '2', postgres: usual, server: there.declared };
      return use({ ...declaration, colours: { blue, green } }, there);
    }),
  );
}

/** The statements that `create` names; undefined where it makes the environment, which is then taken away again. */
export async function grantsAskedFor(declaration: Record<string, unknown>): Promise<string[] | undefined> {
  return (await refusalOf(declaration))?.facts?.['grants'] as string[] | undefined;
}

/** What `create` says against a server; undefined where it makes the environment, which is then taken away again. */
export async function refusalOf(declaration: Record<string, unknown>): Promise<Failure | undefined> {
  const raw = {
    ...{ name: 'shop', platform: 'local', database: 'shop', live: 'blue', roles: { application: ['shop_app'] } },
    ...declaration,
  };
  const platform = await LocalPlatform.open(parseEnvironment(raw, 'the test'), await temporaryFolder());
  const refused = await platform.lifecycle.create({ raw }).then(
    () => undefined,
    (error: unknown) => error as Failure,
  );
  if (refused === undefined) await destroyLocal(platform);
  else if (refused.id !== 'external-refused') throw refused;
  return refused;
}
