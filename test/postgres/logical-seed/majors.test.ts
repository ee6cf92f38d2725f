import { expect, test } from 'vitest';
import { one, rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { findPgDump } from '../../../src/postgres/logical-seed/program.ts';
import { seedFromSnapshot } from '../../../src/postgres/logical-seed/snapshot.ts';
import { seedByTables } from '../../../src/postgres/logical-seed/tables.ts';
import { enableStream, subscribe, unsubscribe } from '../../../src/postgres/stream/subscription.ts';
import { publish, unpublish } from '../../../src/postgres/stream/publication.ts';
import { connectionTo } from '../../support/postgres.ts';
import { expectSame, pgDump, stream, underLoad, withWorld } from './world.ts';

test.runIf(pgDump !== '')(
  'a live server of PostgreSQL 12 is seeded to 17 exactly, under load, partitions one by one; a part of columns and a seed by tables are refused by name',
  async () => {
    await withWorld([12, 17], async (world) => {
      const { live, candidate, origin } = world;
      const seed = {
        live: connectionTo(live, 'shop'),
        candidate: connectionTo(candidate, 'shop'),
        ...{ stream, pgDump: await findPgDump(12, 17), workers: 2, busy: 50, slotLimit: 20_000 },
        ...{ conninfo: world.conninfo, signal: new AbortController().signal, onProgress: () => undefined },
      };
      const tables = (await readTables(origin)).map((table) => ({ table }));
      await expect(
        publish(origin, stream, [
          ...tables,
          { table: { schema: 'public', name: 'customer' }, columns: ['id', 'name'] },
        ]),
      ).rejects.toMatchObject({ id: 'publisher-too-old', facts: { tables: ['public.customer'] } });
      await underLoad(live, async () => {
        await expect(seedByTables(seed)).rejects.toMatchObject({ id: 'seed-loses-changes' });
        await publish(origin, stream, tables);
        await seedFromSnapshot(seed);
        await withClient(connectionTo(candidate, 'shop'), 'test', async (copy) => {
          await subscribe(copy, stream, world.conninfo, 'shop');
          await enableStream(copy, stream);
        });
      });
      await expectSame(world, (copy, original) => expect(copy).toEqual(original));
      await withClient(connectionTo(candidate, 'shop'), 'test', async (copy) => {
        // Partitions are there as they were, and foreign keys and triggers with them.
        const shape = `SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c') ORDER BY 1, 2`;
        expect(await rows(copy, shape)).toEqual(await rows(origin, shape));
        expect(await one(copy, "SELECT count(*)::int AS n FROM pg_trigger WHERE tgname = 'noted'")).toEqual({ n: 1 });
        await unsubscribe(copy, stream);
      });
      await unpublish(origin, stream);
    });
  },
);
