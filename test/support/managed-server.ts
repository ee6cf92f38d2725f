import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { operatorRole } from '../../src/model/names.ts';
import { withClient, type ConnectionSettings } from '../../src/postgres/client.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { credentials, withExternalServer, type ExternalFixture } from './external.ts';
import { reservedRole } from './managed.ts';

/** A managed service's server by its address: nobody who may log in there but the service itself is a superuser. */
export interface ManagedServer extends ExternalFixture {
  /** The customer's first role, by which he makes all others. */
  readonly admin: ConnectionSettings;
  /** What the service's administration can do for a customer who asks. */
  ask(statements: readonly string[], database?: string): Promise<void>;
  /** Of the declaration, what says that a colour is this server. */
  readonly declared: Readonly<Record<string, unknown>>;
}

const password = 'the operator has this one';

/** As a service hands a new server over: the customer's role, and Verdigris's made by it, with what docs/origins.md says to grant. */
export async function withManagedServer<T>(major: number, use: (server: ManagedServer) => Promise<T>): Promise<T> {
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
      const declared = { kind: 'external', host: '127.0.0.1', port: server.port, password: { file }, sslmode: 'disable' };
      return use({ ...server, admin, ask, declared });
    },
    {},
    reservedRole,
  );
}

/** The database `shop` as its customer has made it, owned by a role of its own; nothing of it is Verdigris's. */
export async function fillManagedShop({ admin }: ManagedServer): Promise<void> {
  await withClient(admin, 'test', async (client) => {
    for (const [role, secret] of Object.entries(credentials))
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    await client.query("CREATE ROLE shop_owner LOGIN PASSWORD 'of the owner'");
    await client.query('GRANT shop_owner TO customer');
    await client.query('CREATE DATABASE shop OWNER shop_owner');
  });
  await withClient({ ...admin, user: 'shop_owner', password: 'of the owner', database: 'shop' }, 'test', (client) =>
    prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 }),
  );
}
