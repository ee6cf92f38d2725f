import { expect, test } from 'vitest';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay, killBeforeCommit } from './kill-chain.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 3, 18: migrate, verify, canary and abandon, killed around every journal entry, end or are undone; nothing is lost or left',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await bench.verb('seed');
        for (const [verb, state] of [
          ['migrate', 'migrated'],
          ['verify', 'verified'],
        ] as const) {
          coversThePlan(verb, await killAlongTheWay(bench, verb));
          await bench.settled({ state, live: 'blue' });
        }
        const canary = await killBeforeCommit(
          bench,
          'canary',
          async ({ direction, write, side }) => {
            if (write === 1 && side === 'before') return;
            expect(direction).toBe('revert');
            await bench.recover();
            await bench.settled({ state: 'verified' });
            expect(await bench.platform.traffic.status()).toMatchObject({ live: 'blue', canary: 0 });
          },
          { canary: 50 },
        );
        expect(canary.map(({ step }) => step)).toEqual(expect.arrayContaining(['opening', 'admit', 'weight']));
        await bench.verb('canary', { canary: 50 });
        await bench.settled({ state: 'canary' });
        coversThePlan('abandon', await killAlongTheWay(bench, 'abandon'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
