import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { untilStopped } from '../faults/operators.ts';
import { served, until } from '../faults/support.ts';
import { nothing, withClusterBench, type ClusterBench } from './support/faults.ts';

const timeout = 900_000;

async function letGo({ platform, journal }: ClusterBench, where: string): Promise<number> {
  const began = performance.now();
  await until(`the clients let go after ${where}`, async () => (await platform.traffic.status()).held === undefined, 180_000);
  const waited = Math.round(performance.now() - began);
  await until(`the recovery after ${where} at its end`, async () => (await journal()).operation === null && (await platform.leases.holder()) === undefined, 180_000);
  return waited;
}

test('faults 23, 24, 25: the operator is killed while clients are held, before and after the commit point and the routes: the guards settle it without anybody’s help', { timeout }, async () => {
  await withClusterBench({ guard: true }, async (bench) => {
    const { operators, settled, platform } = bench;
    const waits: string[] = [];
    const { verdict } = await bench.exercise(async (workload) => {
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      let live: 'blue' | 'green' = 'blue';
      for (const [verb, step] of [['switch', 'hold'], ['switch', 'fence'], ['switch', 'advance-reverse'], ['switch', 'open'], ['rollback', 'fence'], ['rollback', 'route']] as const) {
        expect(await operators.run(verb, { dieAfter: step })).toEqual({ how: 'killed' });
        expect((await platform.traffic.status()).held).toBeDefined();
        const waited = await letGo(bench, `the kill in ${verb} after ${step}`);
        waits.push(`${verb} ${step}: ${waited} ms`);
        if (step === 'open' || step === 'route') live = live === 'blue' ? 'green' : 'blue';
        await settled({ live });
        await served(workload);
      }
      await settled({ state: 'migrated', live: 'blue' });
      await bench.verb('abandon');
    });
    console.log(`held after the kill: ${waits.join('; ')}`);
    expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await bench.leftovers()).toEqual(nothing);
  });
});

test('fault 32: a second operator is refused; one that sleeps with clients held is undone by the guards, and its waking changes nothing', { timeout }, async () => {
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
      const [one, two] = await Promise.all([operators.run('switch'), bench.verb('switch').then(() => 'done' as const, (error: unknown) => error)]);
      const outcomes = [one.how === 'done' ? 'done' : one, two];
      expect(outcomes.filter((each) => each === 'done'), JSON.stringify(outcomes)).toHaveLength(1);
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
    expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await bench.leftovers()).toEqual(nothing);
  });
});
