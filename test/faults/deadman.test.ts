import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { rows } from '../../src/postgres/client.ts';
import { good } from '../support/verdict.ts';
import { untilStopped } from './operators.ts';
import { nothing, served, withBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

test(
  "faults 23, 24, 25: nobody runs a next command after the kill: the dead man's limit settles it and lets the clients go on by itself",
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        let live: 'blue' | 'green' = 'blue';
        // Just after hold, after the fence, before the commit point's own write: undone. After the commit point and
        // before the routes: forward.
        for (const [verb, step] of [
          ['switch', 'hold'],
          ['switch', 'fence'],
          ['switch', 'advance-reverse'],
          ['switch', 'open'],
          ['rollback', 'fence'],
          ['rollback', 'route'],
        ] as const) {
          expect(await bench.operators.run(verb, { dieAfter: step })).toEqual({ how: 'killed' });
          const killed = performance.now();
          expect((await bench.platform.traffic.status()).held).toBeDefined();
          await until(
            `the clients let go after the kill in ${step}`,
            async () => (await bench.platform.traffic.status()).held === undefined,
            60_000,
          );
          // 3 s without a renewal, then a Node process that opens two connections.
          expect(performance.now() - killed, step).toBeLessThan(30_000);
          await until('the recovery at its end', async () => (await bench.journal()).operation === null);
          if (step === 'open' || step === 'route') live = live === 'blue' ? 'green' : 'blue';
          await bench.settled({ live });
          await served(workload);
        }
        await bench.settled({ state: 'migrated', live: 'blue' });
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'fault 32: a second operator is refused and told who works since when; a stale one that wakes is fenced by its token and its connections are gone',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        // Asleep behind the fence, with clients held.
        const sleeper = await bench.operators.start('switch', { stopAt: { step: 'fence', status: 'done' } });
        await untilStopped(sleeper, 60_000);
        const refused = await failure(bench.verb('switch'));
        expect(refused).toMatchObject({ code: 'busy', id: 'lease-held', facts: { pid: sleeper.pid } });
        expect(refused.seen).toMatch(new RegExp(`switch, process ${sleeper.pid}.* since 2`));
        expect(await readStatus(bench.environment, bench.platform)).toMatchObject({
          operator: { holder: expect.stringContaining(String(sleeper.pid)) as string },
        });
        // Its lease runs out; the dead man's limit undoes its work.
        await until(
          "the recovery by the dead man's limit",
          async () =>
            (await bench.journal()).operation === null && (await bench.platform.leases.holder()) === undefined,
          60_000,
        );
        await bench.settled({ state: 'verified', live: 'blue' });
        await served(workload);
        // Its connections are gone: nothing that it had on the way can land any more.
        for (const colour of ['blue', 'green'] as const) {
          expect(
            await bench.on(colour, (client) =>
              rows(client, "SELECT pid FROM pg_stat_activity WHERE application_name = 'verdigris/operator'"),
            ),
          ).toEqual([]);
        }
        const journal = await bench.journal();
        process.kill(sleeper.pid, 'SIGCONT');
        expect(await sleeper.ended).toMatchObject({ how: 'failed', error: { code: 'busy' } });
        expect(await bench.journal()).toEqual(journal);
        await bench.settled({ state: 'verified', live: 'blue' });
        await served(workload);
        // Asleep again, and somebody else has moved on to the other colour when it wakes.
        const second = await bench.operators.start('switch', { stopAt: { step: 'barrier', status: 'started' } });
        await untilStopped(second, 60_000);
        await until(
          "the recovery by the dead man's limit",
          async () =>
            (await bench.journal()).operation === null && (await bench.platform.leases.holder()) === undefined,
          60_000,
        );
        await bench.verb('switch');
        const switched = await bench.journal();
        process.kill(second.pid, 'SIGCONT');
        expect(await second.ended).toMatchObject({ how: 'failed', error: { code: 'busy' } });
        expect(await bench.journal()).toEqual(switched);
        await served(workload);
        await bench.harvest();
        await bench.verb('retire');
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
