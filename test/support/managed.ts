import { operatorRole } from '../../src/model/names.ts';
import type { Server } from '../../src/platform/local/server.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { connectionTo, testMajor, withServer } from './postgres.ts';

/** Whom the service keeps for itself: a superuser whose sessions, roles and settings nobody else touches. */
export const reservedRole = 'cloud_admin';

/**
 * A PostgreSQL as a managed service has it: the superuser is the service's; the operator has CREATEROLE, CREATEDB,
 * REPLICATION and the predefined roles but pg_read_all_data, owns the database `shop`, and has made the application's
 * roles himself. No ALTER SYSTEM, no files, no pg_hba.conf.
 */
export async function withManaged(
  use: (operator: Client, server: Server, reserved: Client) => Promise<void>,
  major = testMajor,
): Promise<void> {
  await withServer(
    async (server) => {
      await withOwnSession(connectionTo(server), 'test', (client) => client.query('CREATE ROLE maker LOGIN SUPERUSER'));
      await withOwnSession(connectionTo(server, 'postgres', 'maker'), 'test', async (maker) => {
        await maker.query(`ALTER ROLE ${operatorRole} RENAME TO ${reservedRole}`);
        await maker.query(
          `CREATE ROLE ${operatorRole} LOGIN CREATEROLE CREATEDB REPLICATION; GRANT pg_monitor, pg_signal_backend TO ${operatorRole}`,
        );
        if (major >= 16) await maker.query(`GRANT pg_create_subscription TO ${operatorRole}`);
        await maker.query(`CREATE DATABASE shop OWNER ${operatorRole}`);
      });
      await withOwnSession(connectionTo(server, 'shop', reservedRole), 'test', async (reserved) => {
        // Nobody is the service's but its own superuser.
        await reserved.query('REASSIGN OWNED BY maker TO CURRENT_USER; DROP ROLE maker');
        await withOwnSession(connectionTo(server, 'shop'), 'test', (operator) => use(operator, server, reserved));
      });
    },
    {},
    major,
  );
}
