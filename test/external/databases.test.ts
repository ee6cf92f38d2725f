import { beforeAll, expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { withBalancer } from '../support/balancer.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { ending, startFollowing, withOneAddress } from '../support/routers.ts';
import { withBench } from '../faults/support.ts';
import { betweenServers } from '../support/external-pair.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';
import { fillBilling, inBilling, wholeReleaseOfBoth } from '../support/two-databases.ts';

beforeAll(withNewestPgDump);

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

test('two databases go together without a superuser on either server, there and back and there, under load: nothing is lost or left', async () => {
  await betweenManaged(
    (declaration) =>
      withEnvironment({ declaration, existing: credentials }, async (environment) => {
        await wholeReleaseOfBoth(environment);
        // Nothing of the fence by rights is left in either.
        for (const here of [
          environment.on,
          (colour: 'green', use: (client: Client) => Promise<unknown>) => inBilling(environment, colour, use),
        ])
          await here('green', async (client) => {
            expect(await rows(client, 'SELECT FROM verdigris.fenced_connect')).toEqual([]);
            expect(await rows(client, "SELECT FROM pg_roles WHERE rolname = 'verdigris_knock'")).toEqual([]);
          });
      }),
    ['billing'],
  );
});

test("clients of two databases by a program of the operator's own: there and back and there, under load: nothing is lost or left", async () => {
  // The balancer cuts connections where it leads elsewhere: clients are told of that, and nothing else may be wrong.
  const { errors: _, ...kept } = good;
  await betweenServers(async (between, { superuser }) => {
    await withClient(superuser, 'test', (client) => client.query('CREATE DATABASE billing'));
    await withClient({ ...superuser, database: 'billing' }, 'test', fillBilling);
    await withBalancer(async ({ port, program }) => {
      const traffic = { kind: 'command', command: [program], address: `127.0.0.1:${port}` };
      await withEnvironment(
        { declaration: { ...between, databases: ['billing'], traffic }, existing: credentials },
        (environment) => wholeReleaseOfBoth(environment, kept),
      );
    });
  });
});

test('clients of two databases by two routers that follow: there and back and there, under load: nothing is lost or left', async () => {
  await betweenServers(async (between, { superuser }) => {
    await withClient(superuser, 'test', (client) => client.query('CREATE DATABASE billing'));
    await withClient({ ...superuser, database: 'billing' }, 'test', fillBilling);
    await withOneAddress(async ({ port, behind }) => {
      const traffic = { kind: 'routers', address: `127.0.0.1:${port}` };
      await withBench(
        { declaration: { ...between, databases: ['billing'], traffic }, existing: credentials },
        async (bench) => {
          const routers = await Promise.all(['a', 'b'].map((id) => startFollowing(bench.declaration, bench.home, id)));
          await ending(routers, async () => {
            for (const each of routers) {
              await each.serves();
              behind.add(each.port);
            }
            await wholeReleaseOfBoth(bench);
          });
        },
      );
    });
  });
});
