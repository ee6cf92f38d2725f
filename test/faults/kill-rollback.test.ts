import { expect, test } from 'vitest';
import { good } from '../support/verdict.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 23, 24, 25: a lossless rollback, killed around every journal entry and at every held step: before the commit point undone, after it forward',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'rollback', {}, 'switched', 'migrated');
        await bench.harvest();
        await bench.verb('abandon');
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({
        state: 'single',
        live: 'blue',
        liveRelease: '1',
        release: null,
        stream: null,
        closing: null,
      });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
