import { expect, test } from 'vitest';
import { killEverywhere } from '../faults/kill-everywhere.ts';
import { nothing, withClusterBench } from './support/faults.ts';

test(
  'faults 23, 24, 25: the operator killed around every journal entry of a switchover: before the commit point undone, after it forward',
  { timeout: 1_800_000 },
  async () => {
    await withClusterBench({ guard: false }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
        await bench.harvest();
        await bench.verb('retire');
      });
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      await bench.settled({
        state: 'single',
        live: 'green',
        liveRelease: '2',
        release: null,
        stream: null,
        closing: null,
      });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
