import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { good } from '../support/verdict.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { killServer, nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 24, 25, 30: a lossy rollback to the snapshot, killed before and after every entry of the journal, is undone or goes forward, and leaves nothing',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
      await bench.harvest();
      const { fallback } = (await bench.journal()).release ?? {};
      expect(fallback).toBeDefined();
      // The retained colour is gone with its disk; what is left is the snapshot of just before the switchover.
      await killServer(bench, 'blue');
      await rm(bench.platform.places.server('blue', 1), { recursive: true });
      await bench.exercise(async (workload) => {
        await killEverywhere(bench, workload, 'rollback', { lossy: true, acceptLoss: true }, 'switched', 'single');
      });
      await bench.settled({ state: 'single', live: 'blue', liveRelease: '1', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await bench.platform.history.list()).toMatchObject([{ outcome: 'rolled back' }]);
      // Whole again: a release can be made from it, and clients are served.
      const { verdict } = await bench.exercise(async (workload) => {
        await bench.verb('seed');
        await served(workload);
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject(good);
    });
  },
);
