import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { untilStopped } from '../faults/operators.ts';
import { served } from '../faults/support.ts';
import { nothing, withClusterBench } from './support/faults.ts';
import { letGo } from './support/let-go.ts';

const timeout = 1_800_000;

test(
  'fault 32: a second operator is refused; one that sleeps with clients held is undone by the guards, and its waking changes nothing',
  { timeout },
  async () => {
    await withClusterBench({ guard: true }, async (bench) => {
      const { operators, journal, settled, platform } = bench;
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        // A hold that is renewed is left alone, however long it lasts.
        await bench.operator(async (c) => {
          await platform.traffic.hold(c.ledger.token, 5_000, 3_000);
          for (const end = Date.now() + 8_000; Date.now() < end; await delay(500)) {
            await platform.traffic.renew();
            expect((await platform.traffic.status()).held).toMatchObject({ token: c.ledger.token });
          }
          expect((await platform.leases.holder())?.holder).toContain(`process ${process.pid}`);
          await platform.traffic.resume(c.ledger.token);
        });
        await served(workload);
        // Awake and at work: two at once.
        const [one, two] = await Promise.all([
          operators.run('switch'),
          bench.verb('switch').then(
            () => 'done' as const,
            (error: unknown) => error,
          ),
        ]);
        const outcomes = [one.how === 'done' ? 'done' : one, two];
        expect(
          outcomes.filter((each) => each === 'done'),
          JSON.stringify(outcomes),
        ).toHaveLength(1);
        await settled({ state: 'switched', live: 'green' });
        await served(workload);
        // Asleep behind the fence, with clients held.
        const sleeper = await operators.start('rollback', { stopAt: { step: 'fence', status: 'done' } });
        await untilStopped(sleeper, 60_000);
        await letGo(bench, 'falling asleep');
        await settled({ state: 'switched', live: 'green' });
        await served(workload);
        const before = await journal();
        process.kill(sleeper.pid, 'SIGCONT');
        expect(await sleeper.ended).toMatchObject({ how: 'failed', error: { code: 'busy' } });
        expect(await journal()).toEqual(before);
        await settled({ state: 'switched', live: 'green' });
        await served(workload);
        // Asleep again, and somebody else has moved the writes when it wakes.
        const second = await operators.start('rollback', { stopAt: { step: 'barrier', status: 'started' } });
        await untilStopped(second, 60_000);
        await letGo(bench, 'falling asleep again');
        await bench.verb('rollback');
        const moved = await journal();
        process.kill(second.pid, 'SIGCONT');
        expect(await second.ended).toMatchObject({ how: 'failed', error: { code: 'busy' } });
        expect(await journal()).toEqual(moved);
        await settled({ state: 'migrated', live: 'blue' });
        await served(workload);
        await bench.harvest();
        await bench.verb('abandon');
      });
      expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({
        ok: true,
        errors: { statements: 0, connects: 0 },
      });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
