import { expect, test } from 'vitest';
import { operatorRole, readerRole, replicationRole } from '../../src/model/names.ts';
import { one, type Client } from '../../src/postgres/client.ts';
import { makeOperator } from '../../src/postgres/own-logins.ts';
import { readersOf } from '../../src/postgres/readers.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { ensureReplicationRole } from '../../src/postgres/stream/source.ts';
import { failure } from '../support/failure.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

test("a role that somebody made first under a name of Verdigris's is given nothing while he can become it", async () => {
  await withServer(async (server) => {
    const connection = { ...connectionTo(server, 'postgres'), user: 'theirs' };
    await withOwnSession(connectionTo(server, 'postgres'), 'test', (client) =>
      client.query('CREATE ROLE theirs SUPERUSER LOGIN; CREATE ROLE maker LOGIN CREATEROLE'),
    );
    await withOwnSession(connection, 'test', async (client) => {
      const given: Record<string, () => Promise<unknown>> = {
        [operatorRole]: () => makeOperator(client, 'secret'),
        [readerRole]: () => readersOf(client, connection),
        [replicationRole]: () => ensureReplicationRole(client, 'secret'),
      };
      // The server's own first superuser bears the name.
      await client.query(`ALTER ROLE ${operatorRole} RENAME TO first`);
      for (const [role, give] of Object.entries(given)) {
        await client.query(`SET SESSION AUTHORIZATION maker; CREATE ROLE ${role}; GRANT ${role} TO maker;
          RESET SESSION AUTHORIZATION`);
        expect(await failure(give()), role).toMatchObject({ id: 'role-taken', facts: { role, members: ['maker'] } });
        expect(await rightsOf(client, role), role).toEqual({ super: false, replicates: false, bypasses: false });
        // As the error says; from then on a membership is what somebody with these rights has given.
        await client.query(`REVOKE ${role} FROM maker CASCADE`);
        await give();
        await client.query(`GRANT ${role} TO maker`);
        await give();
      }
    });
  });
});

function rightsOf(client: Client, role: string): Promise<unknown> {
  return one(
    client,
    'SELECT rolsuper AS super, rolreplication AS replicates, rolbypassrls AS bypasses FROM pg_roles WHERE rolname = $1',
    [role],
  );
}
