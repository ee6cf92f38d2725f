import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withEnvironment } from '../support/environment.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { good } from '../support/verdict.ts';

/** Tables whose statistics nobody has made. */
const unread = "SELECT relname FROM pg_stat_user_tables WHERE last_analyze IS NULL AND schemaname <> 'verdigris'";

test('a release goes forward, back, forward and is accepted, under load, and nothing is lost or left', async () => {
  // As a person's folder may be called: blanks and quotes are in every path that follows.
  await withEnvironment({ homeName: "Ann's home" }, async (environment) => {
    const { verb, clients, platform, on, events } = environment;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate'] as const) await verb(each);
      expect(await on('green', (client) => rows(client, unread))).toEqual([]);
      await verb('verify');
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
    // Which of the two it was is said where it happens.
    const copied = events.filter(
      (event) => event.type === 'step' && event.step === 'snapshot' && event.status === 'done',
    );
    expect(copied).toMatchObject([
      { detail: expect.stringMatching(/^(reflink|full copy: this filesystem has no reflink), [\d.]+ MB$/) as unknown },
    ]);
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
