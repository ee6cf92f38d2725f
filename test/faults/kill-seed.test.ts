import { expect, test } from 'vitest';
import { operationOf } from '../../src/operations/perform.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { killAlongTheWay, killBeforeCommit, type Killed } from './kill-chain.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 600_000;

/** Every step of the plan was cut short at least once after it began, and once before the next one did. */
function coversThePlan(verb: Verb, killed: readonly Killed[]): void {
  const { start, complete } = operationOf(verb, { early: true });
  for (const [phase, steps] of [['start', start], ['complete', complete]] as const) {
    for (const { id } of steps) {
      const there = killed.filter((one) => one.phase === phase && one.step === id).map(({ side }) => side);
      expect(there, `${verb} ${phase} ${id}`).toEqual(expect.arrayContaining(['before', 'after']));
    }
  }
}

test('faults 3, 11, 18: seed, migrate, verify and abandon, killed before and after every entry of the journal, go on and finish; nothing is lost or left', { timeout }, async () => {
  await withBench({}, async (bench) => {
    const { verdict } = await bench.exercise(async (workload) => {
      for (const [verb, state] of [['seed', 'seeded'], ['migrate', 'migrated'], ['verify', 'verified']] as const) {
        coversThePlan(verb, await killAlongTheWay(bench, verb));
        await bench.settled({ state, live: 'blue' });
      }
      const canary = await killBeforeCommit(bench, 'canary', async ({ direction, write, side }) => {
        if (write === 1 && side === 'before') return;
        expect(direction).toBe('revert');
        await bench.recover();
        await bench.settled({ state: 'verified' });
        expect(await bench.platform.traffic.status()).toMatchObject({ live: 'blue', canary: 0 });
      }, { canary: 50 });
      expect(canary.map(({ step }) => step)).toEqual(expect.arrayContaining(['opening', 'admit', 'weigh']));
      await bench.verb('canary', { canary: 50 });
      await bench.settled({ state: 'canary' });
      coversThePlan('abandon', await killAlongTheWay(bench, 'abandon'));
      await served(workload);
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
    expect(await bench.leftovers()).toEqual(nothing);
  });
});

test('fault 3: a seed killed after any of its steps is cleared by abandon, and leaves nothing', { timeout }, async () => {
  await withBench({}, async (bench) => {
    const { verdict } = await bench.exercise(async () => {
      for (const { id } of operationOf('seed').start) {
        expect(await bench.operators.run('seed', { dieAfter: id })).toEqual({ how: 'killed' });
        expect((await bench.journal()).operation?.steps.at(-1)).toMatchObject({ id });
        await bench.verb('abandon');
        expect(await bench.leftovers(), `killed after ${id}`).toEqual(nothing);
        await bench.settled({ state: 'single', release: null });
      }
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await bench.leftovers()).toEqual(nothing);
  });
});
