import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tryTraffic } from '../../src/operations/proofs/try-traffic.ts';
import { one } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import { Forwarder } from '../faults/forwarder.ts';
import { served, withBench } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials, withExternalServer, withStandby } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { ending, startFollowing, withOneAddress, type RunningRouter } from '../support/routers.ts';
import { testMajor } from '../support/postgres.ts';
import { thereAndBack } from '../support/there-and-back.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

/** Clients of a router that is cut off or killed are told of that, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

test('two routers behind one address: there and back and there under load, nobody is told of an error', async () => {
  await betweenServers((between) =>
    withOneAddress(async ({ port, behind }) => {
      const traffic = { kind: 'routers', address: `127.0.0.1:${port}` };
      await withBench({ declaration: { ...between, traffic }, existing: credentials }, async (bench) => {
        const none = await failure(bench.operator(tryTraffic));
        expect(none.message).toContain('none has said anything lately');
        const routers = [
          await startFollowing(bench.declaration, bench.home, 'a'),
          await startFollowing(bench.declaration, bench.home, 'b'),
        ];
        await ending(routers, async () => {
          for (const each of routers) {
            await each.serves();
            behind.add(each.port);
          }
          const steps = await bench.operator(tryTraffic);
          expect(steps.map(({ asked }) => asked)).toContain('nobody is held');
          await thereAndBack(bench);
          // One that ends in order is none any more, at once.
          routers[0]?.kill('SIGTERM');
          await routers[0]?.ended;
          expect(await bench.operator(tryTraffic)).toHaveLength(steps.length);
        });
      });
    }),
  );
});

test('a router that is cut off from the journal, stopped, killed or started late: no write at the wrong colour, and the release goes on', async () => {
  await betweenServers((between) =>
    withExternalServer(testMajor, ({ port: journalPort, passwordFile }) =>
      withOneAddress(async ({ port, behind }) => {
        const way = await Forwarder.to(journalPort);
        const journal = (at: number) => ({
          ...{ kind: 'postgres', host: '127.0.0.1', port: at, database: 'postgres', user: 'postgres' },
          ...{ password: { file: passwordFile }, sslmode: 'disable' },
        });
        const traffic = { kind: 'routers', address: `127.0.0.1:${port}`, trustFor: '3s', holdFor: '4s' };
        const declaration = { ...between, traffic, journal: journal(journalPort) };
        await withBench({ declaration, existing: credentials }, async (bench) => {
          const { verb, platform, on } = bench;
          const cutOff = path.join(bench.folder, 'cut-off.json');
          const declared = JSON.parse(await readFile(bench.declaration, 'utf8')) as Record<string, unknown>;
          await writeFile(cutOff, JSON.stringify({ ...declared, journal: journal(way.port) }));
          const [a, b] = [
            await startFollowing(bench.declaration, path.join(bench.folder, 'a'), 'a'),
            await startFollowing(cutOff, path.join(bench.folder, 'b'), 'b'),
          ] as const;
          const routers = [a, b];
          const serving = async (router: RunningRouter): Promise<void> => {
            await router.serves();
            behind.add(router.port);
          };
          await ending(routers, async () => {
            for (const each of routers) await serving(each);
            const { verdict } = await bench.exercise(async (workload) => {
              for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);

              way.cut();
              await verb('switch');
              await served(workload, 50);
              await until('b refuses', () => b.log().includes('clients are refused'), 30_000);
              expect((await failure(answering(b))).message).toMatch(/ECONNREFUSED/);
              expect(await answering(a)).toBe('their-green');
              way.heal();
              await until('b serves again', () => b.log().split('takes clients').length === 3, 30_000);
              expect(await answering(b)).toBe('their-green');

              a.kill('SIGSTOP');
              await verb('rollback');
              expect(await answering(b)).toBe('their-blue');
              a.kill('SIGCONT');
              await until('a leads to blue', async () => (await answering(a).catch(() => '')) === 'their-blue', 30_000);
              await served(workload, 50);
              await verb('verify');

              a.kill('SIGKILL');
              expect(await bench.operators.run('switch', { dieAfter: 'fence' })).toEqual({ how: 'killed' });
              const late = await startFollowing(bench.declaration, path.join(bench.folder, 'c'), 'c');
              routers.push(late);
              await serving(late);
              await until(
                'recovery from a death under the fence',
                async () => (await bench.journal()).operation === null && !(await platform.traffic.status()).held,
                120_000,
              );
              await bench.harvest();
              await bench.settled({ state: 'verified', live: 'blue' });
              expect(await answering(late)).toBe('their-blue');

              expect(await bench.operators.run('switch', { dieAfter: 'route' })).toEqual({ how: 'killed' });
              await until(
                'recovery from a death behind the commit point',
                async () => (await bench.journal()).operation === null && !(await platform.traffic.status()).held,
                120_000,
              );
              await bench.harvest();
              for (const each of [b, late]) expect(await answering(each)).toBe('their-green');
              await served(workload, 50);
              await verb('retire');
            });
            expect(verdict).toMatchObject(kept);
            expect(verdict.acknowledged).toBeGreaterThan(500);
            expect(await leftovers(platform, 'green', on)).toEqual(nothing);
          });
        });
        way.close();
      }),
    ),
  );
});

/** Which server answers a client of that router. */
async function answering({ port }: RunningRouter, user: keyof typeof credentials = 'shop_app'): Promise<string> {
  const client = { host: '127.0.0.1', port, user, password: credentials[user], database: 'shop' };
  return withPooledSession(client, 'test', async (session) => {
    const { name } = await one<{ name: string }>(session, "SELECT current_setting('cluster_name') AS name");
    return name;
  });
}

test('a canary spreads the readers of each router, on the standbys of a colour that has some, and an abandoned candidate has none any more', async () => {
  await betweenServers((between, blue) =>
    withStandby(
      blue,
      ({ port: standby }) =>
        withOneAddress(async ({ port }) => {
          const traffic = { kind: 'routers', address: `127.0.0.1:${port}` };
          const colours = between['colours'] as { blue: { server: object }; green: object };
          const server = { ...colours.blue.server, standbys: [{ host: '127.0.0.1', port: standby }] };
          const declaration = { ...between, traffic, colours: { ...colours, blue: { ...colours.blue, server } } };
          await withBench({ declaration, existing: credentials }, async (bench) => {
            const routers = await Promise.all(
              ['a', 'b'].map((id) => startFollowing(bench.declaration, bench.home, id)),
            );
            await ending(routers, async () => {
              for (const each of routers) await each.serves();
              const spread = async (): Promise<string[][]> =>
                Promise.all(
                  routers.map(async (router) => {
                    const names = await Promise.all(Array.from({ length: 8 }, () => answering(router, 'shop_reader')));
                    return [...new Set(names)].sort();
                  }),
                );
              const come = (names: readonly string[]) =>
                until(`readers on ${names.join(' and ')}`, async () =>
                  (await spread()).every((each) => each.join() === names.join()),
                );
              for (const each of ['seed', 'migrate', 'verify'] as const) await bench.verb(each);
              expect(await spread()).toEqual([['their-blue'], ['their-blue']]);
              await bench.verb('canary', { canary: 50 });
              await come(['their-green', 'their-standby']);
              for (const each of routers) expect(await answering(each)).toBe('their-blue');
              await bench.verb('abandon');
              await come(['their-blue']);
            });
          });
        }),
      { cluster_name: 'their-standby' },
    ),
  );
});
