import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { waitFor } from '../../src/model/wait.ts';
import { withOwnSession } from '../../src/postgres/client.ts';
import { operatorUp, withCnpg } from './support/cnpg.ts';

beforeAll(operatorUp, 300_000);

test('failovers of the live Cluster in the seed, of both in forward replication, and of the new live one on the way back lose nothing', async () => {
  await withCnpg(async ({ verb, load, platform, events, failOver, healthy }) => {
    const { verdict } = await load(40, async (workload) => {
      const writesOn = async (): Promise<void> => {
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 120_000);
      };
      const seeding = verb('seed').then(
        () => 'seeded',
        () => 'undone',
      );
      await waitFor(
        () => Promise.resolve(events.some((event) => event.type === 'step' && event.step === 'copy') || undefined),
        { limit: 60_000, every: 5, slowest: 5, what: 'the copy begun', next: 'see the events.' },
      );
      await failOver('blue');
      if ((await seeding) === 'undone') {
        await withOwnSession(await platform.servers.connection('green'), 'test', async (client) => {
          await client.query('DROP DATABASE IF EXISTS shop WITH (FORCE)');
          await client.query('CREATE DATABASE shop OWNER shop_app');
        });
        await verb('seed');
      }
      await writesOn();
      await failOver('green');
      await failOver('blue');
      await writesOn();
      for (const each of ['migrate', 'verify', 'switch'] as const) await verb(each);
      await writesOn();
      await failOver('green');
      await healthy('blue');
      await writesOn();
      await verb('rollback');
      await writesOn();
    });
    expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 }, wrongColour: { count: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ live: 'blue', operation: null });
  });
});
