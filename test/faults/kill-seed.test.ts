import { expect, test } from 'vitest';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from './kill-chain.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 3, 11: seed, killed before and after every entry of the journal, goes on and ends; nothing is lost or left',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        coversThePlan('seed', await killAlongTheWay(bench, 'seed'));
        await bench.settled({ state: 'seeded', live: 'blue' });
        for (const verb of ['migrate', 'verify', 'abandon'] as const) await bench.verb(verb);
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
