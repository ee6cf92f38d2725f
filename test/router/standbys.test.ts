import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { routerFiles } from '../../src/router/config.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withExternalServer, withStandby, type ExternalFixture } from '../support/external.ts';
import { testMajor } from '../support/postgres.ts';
import { reader, TestRouter, writer, type Pair, type TestClient } from '../support/router.ts';
import { until } from '../support/until.ts';

/** Of this machine, and no primary's. */
const standbyHost = '127.0.0.2';

/** Of a standby of the other server. */
const strangerHost = '127.0.0.3';

const named = (name: string, use: (server: ExternalFixture) => Promise<void>) =>
  withExternalServer(testMajor, use, { cluster_name: name });

const atOnce = { blue: 100, green: 0 };
const canary = { blue: 50, green: 50 };

async function filled({ superuser }: ExternalFixture): Promise<void> {
  await withClient({ ...superuser, database: 'postgres' }, 'test', async (client) => {
    await client.query('CREATE DATABASE shop');
    for (const { user, password } of [writer, reader])
      await client.query(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
  });
  await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
    client.query('CREATE TABLE rows AS SELECT 1 AS id; GRANT SELECT ON rows TO report; GRANT ALL ON rows TO app'),
  );
}

const places = (clients: readonly TestClient[]): Promise<string[]> =>
  Promise.all(
    clients.map(async (client) => {
      // No function: what one may have changed of a session would have to be looked at first.
      const [found] = await rows<{ cluster_name: string }>(client, 'SHOW cluster_name');
      return found?.cluster_name ?? '';
    }),
  );

test('while a canary is under way readers are on standbys that keep up, and otherwise on the primary; nobody is told of an error', async () => {
  await named('blue', async (blue) => {
    await filled(blue);
    await named('green', async (green) => {
      await filled(green);
      const [bluePort, greenPort] = [blue.superuser.port, green.superuser.port];
      const at = (host: string, name: string) => ({
        listen_addresses: host,
        unix_socket_directories: '',
        port: String(bluePort),
        cluster_name: name,
      });
      // Far ahead of blue: its place in the log alone would do.
      await withClient({ ...green.superuser, database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE more AS SELECT generate_series(1, 20000)'),
      );
      await withStandby(
        green,
        () =>
          withStandby(
            blue,
            async ({ stop }) => {
              const upstreams = {
                blue: {
                  port: bluePort,
                  standbys: {
                    at: [standbyHost, strangerHost].map((host) => ({ host, port: bluePort })),
                    database: 'shop',
                    behind: 100_000,
                  },
                },
                green: { port: greenPort },
              };
              const pair = { upstream: () => ({ port: 0 }) } as unknown as Pair;
              await using router = await TestRouter.start(pair, { upstreams });
              await writeFile(routerFiles(router.folder).passwords, JSON.stringify({ [reader.user]: reader.password }));
              const on = { primary: 'blue', standby: 'standby', green: 'green' };
              const readers = await Promise.all(Array.from({ length: 8 }, () => router.connect(reader)));
              const listener = await router.connect(reader);
              const heard: string[] = [];
              listener.on('notification', ({ payload = '' }) => heard.push(payload));
              await listener.query('LISTEN news');
              const app = await router.connect(writer);
              expect(new Set(await places(readers))).toEqual(new Set([on.primary]));

              const reach = (expected: readonly string[]) =>
                until(`readers on ${expected.join(' and ')}`, async () => {
                  const seen = [...new Set(await places(readers))].sort();
                  return seen.join() === [...expected].sort().join();
                });
              await router.control.route(1, 'blue', canary);
              await reach([on.standby, on.green]);
              // Who writes, or hears, does so where that can be done.
              expect(await places([app])).toEqual([on.primary]);
              const [at = ''] = await places([listener]);
              expect(at).not.toBe(on.standby);
              const its = at === on.green ? green : blue;
              await withClient({ ...its.superuser, database: 'shop' }, 'test', (client) => client.query('NOTIFY news'));
              await until('it is heard', () => Promise.resolve(heard.length === 1));
              // A new one comes there by its own login.
              const late = await Promise.all([router.connect(reader), router.connect(reader)]);
              expect([on.standby, on.green]).toEqual(expect.arrayContaining(await places(late)));

              // Too far behind: back to the primary, and there again once it has caught up.
              const ownStandby = { ...blue.superuser, host: standbyHost, database: 'postgres' };
              await withClient(ownStandby, 'test', (client) => client.query('SELECT pg_wal_replay_pause()'));
              await app.query('INSERT INTO rows SELECT g FROM generate_series(1, 20000) g');
              await reach([on.primary, on.green]);
              await withClient(ownStandby, 'test', (client) => client.query('SELECT pg_wal_replay_resume()'));
              await reach([on.standby, on.green]);

              // It is gone at once: those who were there, and who comes next, are served by the primary.
              await stop();
              const next = await Promise.all([router.connect(reader), router.connect(reader)]);
              await reach([on.primary, on.green]);
              expect(await places(next)).not.toContain(on.standby);
              await router.control.route(2, 'blue', atOnce);
              await reach([on.primary]);
              const all = [...readers, ...late, ...next, listener, app];
              expect(all.flatMap(({ errors }) => errors)).toEqual([]);
              await Promise.all(all.map((client) => client.end()));
            },
            at(standbyHost, 'standby'),
          ),
        at(strangerHost, 'stranger'),
      );
    });
  });
});
