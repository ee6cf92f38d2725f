import { expect } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withEnvironment } from './environment.ts';
import { credentials } from './external.ts';
import { leftovers, nothing } from './leftovers.ts';
import { good } from './verdict.ts';

/** A release of a server of others, there and back and there, under load: nothing may be lost or left. */
export async function wholeRelease(declaration: Record<string, unknown>): Promise<void> {
  await withEnvironment({ declaration, existing: credentials }, async (environment) => {
    const { verb, clients, platform, on } = environment;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      for (const each of ['switch', 'rollback', 'verify', 'switch'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
      }
      await verb('retire');
    });
    expect(verdict).toMatchObject(good);
    expect(await leftovers(platform, 'green', on)).toEqual(nothing);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
  });
}
