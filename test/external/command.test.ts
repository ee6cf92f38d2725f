import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tryTraffic } from '../../src/operations/proofs/try-traffic.ts';
import { served, withBench } from '../faults/support.ts';
import { withBalancer } from '../support/balancer.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';

/** The balancer cuts connections where it leads elsewhere: clients are told of that, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

beforeAll(withNewestPgDump);

test("clients by a program of the operator's own: there and back and there under load, also where the operator is killed while they are held", async () => {
  await betweenServers((between) =>
    withBalancer(async ({ port, program }) => {
      const traffic = { kind: 'command', command: [program], address: `127.0.0.1:${port}` };
      await withBench({ declaration: { ...between, traffic }, existing: credentials }, async (bench) => {
        const { verb, platform, on } = bench;
        const { verdict } = await bench.exercise(async (workload) => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          for (const [step, state, live] of [
            ['fence', 'verified', 'blue'],
            ['route', 'switched', 'green'],
          ] as const) {
            expect(await bench.operators.run('switch', { dieAfter: step })).toEqual({ how: 'killed' });
            await until(
              `recovery from a death after ${step}`,
              async () => (await bench.journal()).operation === null && !(await platform.traffic.status()).held,
              120_000,
            );
            await bench.harvest();
            await bench.settled({ state, live });
            await served(workload, 20);
          }
          for (const each of ['rollback', 'verify', 'switch', 'retire'] as const) {
            await verb(each);
            await bench.harvest();
            await served(workload, 50);
          }
        });
        expect(verdict).toMatchObject(kept);
        expect(await leftovers(platform, 'green', on)).toEqual(nothing);
      });
    }),
  );
});

test('a program that lies, fails or hangs is named by the question it was asked, and holds nobody', async () => {
  await betweenServers((between) =>
    withBalancer(async ({ port, program }) => {
      const file = path.join(await temporaryFolder(), 'broken');
      const broken = (line: string) => writeFile(file, `#!/bin/sh\n${line}\nexec ${program} "$1"\n`, { mode: 0o755 });
      await broken('');
      const traffic = { kind: 'command', command: [file], address: `127.0.0.1:${port}`, limit: '6s' };
      const declaration = { ...between, traffic };
      await withEnvironment({ declaration, existing: credentials }, async ({ operator, platform }) => {
        const steps = await operator(tryTraffic);
        expect(steps.map(({ asked }) => asked)).toContain('nobody is held');
        // Longer than a hold lasts that nobody renews: no recovery takes it over meanwhile.
        await broken('[ "$1" = hold ] && sleep 5');
        expect(await operator(tryTraffic)).toHaveLength(steps.length);
        for (const [line, seen] of [
          ['[ "$1" = hold ] && { echo no balancer >&2; exit 3; }', 'hold ended with 3: no balancer'],
          ['[ "$1" = hold ] && sleep 60', 'hold did not end within 6000 ms'],
          ['[ "$1" = route ] && exit 1', 'route ended with 1'],
          ['[ "$1" = who-answers ] && { echo nobody; exit 0; }', 'who-answers printed "nobody"'],
          ['[ "$1" = who-answers ] && { echo 127.0.0.1:1; exit 0; }', 'ECONNREFUSED'],
        ] as const) {
          await broken(line);
          expect((await failure(operator(tryTraffic))).message).toContain(seen);
          await broken('');
          expect((await platform.traffic.status()).held).toBeUndefined();
        }
      });
    }),
  );
});
