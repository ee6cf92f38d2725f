import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { testMajor } from '../support/postgres.ts';
import { fillBilling, wholeReleaseOfBoth } from '../support/two-databases.ts';

const schemas = (client: Client) => rows(client, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'");
const named = (name: string) => ({ cluster_name: name });

test('two databases of a server of PostgreSQL 15 of others go to one of theirs, there and back and there, under load: nothing is lost or left', async () => {
  await withExternalServer(
    15,
    async (here) => {
      await fillShop(here);
      await withClient(here.superuser, 'test', (client) => client.query('CREATE DATABASE billing'));
      await withClient({ ...here.superuser, database: 'billing' }, 'test', fillBilling);
      await withExternalServer(
        testMajor,
        async (there) => {
          const declaration = {
            databases: ['billing'],
            colours: {
              blue: { release: '1', postgres: 15, server: declaredServer(here) },
              green: { release: '2', postgres: testMajor, server: declaredServer(there) },
            },
            local: { passwords: declaredPasswords },
          };
          await withEnvironment({ declaration, existing: credentials }, async (environment) => {
            const before = await environment.platform.servers.connection('blue');
            await wholeReleaseOfBoth(environment);
            for (const database of ['shop', 'billing'])
              expect(await withClient({ ...before, database }, 'test', schemas), database).toEqual([]);
          });
        },
        named('their-green'),
      );
    },
    named('their-blue'),
  );
});
