import { expect } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { served, type FaultBench } from '../faults/support.ts';
import { leftovers, nothing } from './leftovers.ts';
import { good } from './verdict.ts';

/** A whole release under load, there, back and there again: nothing is lost or left. */
export async function thereAndBack(bench: FaultBench): Promise<void> {
  const { verb, platform, on, exercise } = bench;
  const { verdict } = await exercise(async (workload) => {
    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
      await verb(each);
      await bench.harvest();
      await served(workload, 50);
    }
    await verb('retire');
  });
  expect(verdict).toMatchObject(good);
  expect(await leftovers(platform, 'green', on)).toEqual(nothing);
  expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green' });
}
