import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { seedByTables } from '../../../src/postgres/logical-seed/tables.ts';
import { unpublish } from '../../../src/postgres/stream/publication.ts';
import { unsubscribe } from '../../../src/postgres/stream/subscription.ts';
import { connectionTo } from '../../support/postgres.ts';
import { dumped, expectSame, killedAt, pgDump, stream, underLoad, withWorld } from './world.ts';

test.runIf(pgDump !== '')(
  'a seed by tables that is killed in the middle of them goes on table by table, copies none twice, and leaves schema and rows exactly, under load',
  async () => {
    await withWorld([15, 15], async (world) => {
      const { live, candidate, origin } = world;
      const seed = {
        live: connectionTo(live, 'shop'),
        candidate: connectionTo(candidate, 'shop'),
        ...{ stream, pgDump, workers: 1, busy: 50, slotLimit: 20_000, conninfo: world.conninfo },
      };
      const ready = (client: Parameters<typeof rows>[0]) =>
        rows<{ table: string; copied: string }>(
          client,
          "SELECT srrelid::regclass::text AS table, srsublsn::text AS copied FROM pg_subscription_rel WHERE srsubstate = 'r' ORDER BY 1",
        );
      await underLoad(live, async () => {
        await killedAt({ method: 'tables', ...seed }, /"done":[1-9]/);
        await withClient(connectionTo(candidate, 'shop'), 'test', async (copy) => {
          const before = await ready(copy);
          await seedByTables({ ...seed, signal: new AbortController().signal, onProgress: () => undefined });
          expect(await ready(copy)).toEqual(expect.arrayContaining(before));
          expect(await rows(copy, "SELECT srrelid FROM pg_subscription_rel WHERE srsubstate <> 'r'")).toEqual([]);
        });
      });
      await expectSame(world, (copy, original) => expect(copy).toEqual(original));
      await withClient(connectionTo(candidate, 'shop'), 'test', (copy) => unsubscribe(copy, stream));
      expect(await dumped(candidate)).toBe(await dumped(live));
      await unpublish(origin, stream);
      expect(await rows(origin, 'SELECT slot_name FROM pg_replication_slots')).toEqual([]);
      expect(await rows(origin, "SELECT FROM pg_auth_members WHERE member = 'verdigris_replication'::regrole")).toEqual(
        [],
      );
    });
  },
);
