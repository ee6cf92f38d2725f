import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withEnvironment } from '../support/environment.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { good } from '../support/verdict.ts';

test('a release goes forward, back, forward and is accepted, under load, and nothing is lost or left', async () => {
  await withEnvironment({}, async (environment) => {
    const { verb, clients, platform, on } = environment;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      await verb('canary', { canary: 50 });
      await workload.until(
        ({ intervals }) => intervals.some(({ readsByColour }) => (readsByColour['green'] ?? 0) > 0),
        30_000,
      );
      for (const each of ['switch', 'rollback', 'verify', 'switch', 'rollback'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
      }
      for (const each of ['verify', 'switch', 'retire'] as const) await verb(each);
    });
    expect(verdict).toMatchObject(good);
    expect(await leftovers(platform, 'green', on)).toEqual(nothing);
    expect(await readJournal(platform.journal)).toMatchObject({
      state: 'single',
      live: 'green',
      liveRelease: '2',
      release: null,
      stream: null,
      closing: null,
      operation: null,
    });
    expect(await platform.history.list()).toMatchObject([{ from: '1', to: '2', outcome: 'released' }]);
  });
});
