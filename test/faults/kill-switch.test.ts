import { expect, test } from 'vitest';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from './kill-chain.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 23, 24, 25: switch and retire, killed before and after every entry of the journal and at every held step: before the commit point undone, after it forward',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
        await bench.harvest();
        coversThePlan('retire', await killAlongTheWay(bench, 'retire'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({
        state: 'single',
        live: 'green',
        liveRelease: '2',
        release: null,
        stream: null,
        closing: null,
      });
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await bench.platform.history.list()).toMatchObject([{ outcome: 'released' }]);
    });
  },
);
