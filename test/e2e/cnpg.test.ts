import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { operatorUp, withCnpg } from './support/cnpg.ts';

beforeAll(operatorUp, 300_000);

test('a release goes from one Cluster of CloudNativePG to another, back, forward and is accepted, under load: nothing is lost or left', async () => {
  await withCnpg(async ({ verb, load, platform, on }) => {
    const { verdict } = await load(60, async (workload) => {
      for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
      }
      await verb('retire');
    });
    console.log(`pauses as the clients saw them, in ms: ${verdict.pauses.map(({ ms }) => ms).join(', ')}`);
    expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 }, wrongColour: { count: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
    // Slots that the operator makes for its standbys are not of Verdigris.
    const { slots, ...left } = await leftovers(platform, 'green', on);
    expect(slots).toEqual([{ slot_name: expect.stringMatching(/^_cnpg_/) as unknown }]);
    expect(left).toEqual((({ slots: _, ...rest }) => rest)(nothing));
  });
});
