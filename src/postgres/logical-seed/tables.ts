import { readTables } from '../catalogue.ts';
import { one, withTransaction, type Client } from '../client.ts';
import { withOwnSession } from '../session.ts';
import { carrySequences, rememberSequences } from '../sequences.ts';
import { carriesSlots } from '../standbys.ts';
import { createSlot } from '../stream/slot.ts';
import { enableStream, subscribe } from '../stream/subscription.ts';
import { startPublishing } from '../stream/publication.ts';
import { admitReader, dismissReader } from './admission.ts';
import { copyRows, emptyTables } from './copy-rows.ts';
import { dumpSchema } from './dump.ts';
import { notePosition, noteSeeded, readSeed } from './ledger.ts';
import { planRanges, readSources } from './ranges.ts';
import { finishSchema, makeKeys, makeSchema, tablespacesOf } from './schema.ts';
import type { Seeded, SnapshotSeed } from './snapshot.ts';
import { requireSteadyPublisher } from './steady-publisher.ts';
import { syncSlotsOf } from './sync-slots.ts';
import { synchronize } from './synchronize.ts';

export interface TablesSeed extends SnapshotSeed {
  /** libpq keywords, without dbname and user, by which the candidate's server reaches the live one. */
  readonly conninfo: string;
  /** Given the pattern of the slots that will come and go on the live server, before the first of them. */
  readonly onSubscribed?: (slots: string) => Promise<void>;
}

/**
 * Fills the candidate's empty database by PostgreSQL's own table synchronisation, the largest table first, and makes
 * publication, slot and subscription for it. Keys are there before the rows, other indexes and foreign keys come
 * afterwards. The live server's horizon is held no longer than one table takes. May be called again after a kill at any
 * point: tables that are there are not copied again.
 * @throws VerdigrisError as `seedFromSnapshot`; `copy-failed` where a table cannot be synchronised;
 * `seed-loses-changes`.
 */
export async function seedByTables(seed: TablesSeed): Promise<Seeded> {
  return withOwnSession(seed.live, 'seed', (live) =>
    withOwnSession(seed.candidate, 'seed', async (candidate) => {
      await requireSteadyPublisher(live);
      const before = await readSeed(candidate);
      const position = before?.position ?? (await begin(seed, live, candidate));
      if (before?.seeded === true) return { position, horizonMs: 0, rows: 0 };
      await subscribe(candidate, seed.stream, seed.conninfo, seed.candidate.database, await carriesSlots(live));
      await seed.onSubscribed?.(await syncSlotsOf(candidate, seed.stream));
      await enableStream(candidate, seed.stream);
      await admitReader(live);
      const { longestMs } = await synchronize(live, candidate, seed);
      await dismissReader(live);
      await finishSchema(seed);
      await carrySequences(live, candidate);
      await rememberSequences(candidate);
      await noteSeeded(candidate);
      return { position, horizonMs: longestMs, rows: 0 };
    }),
  );
}

/**
 * Schema, keys, and the rows that no publication names; then the slot. None of it may be half there when tables are
 * synchronised.
 */
async function begin(seed: TablesSeed, live: Client, candidate: Client): Promise<string> {
  await withTransaction(
    live,
    async () => {
      const { snapshot } = await one<{ snapshot: string }>(live, 'SELECT pg_export_snapshot() AS snapshot');
      await makeSchema(seed, 'tables', await dumpSchema(seed, snapshot, await tablespacesOf(candidate)));
      const published = new Set((await readTables(live)).map(({ schema, name }) => JSON.stringify([schema, name])));
      const { rows: leaves } = await live.query<{ schema: string; name: string }>(partitions);
      for (const { schema, name } of leaves) published.add(JSON.stringify([schema, name]));
      const others = (await readSources(live)).filter(
        ({ schema, name }) => !published.has(JSON.stringify([schema, name])),
      );
      await emptyTables(candidate, others);
      await copyRows(await planRanges(live, others), snapshot, seed);
    },
    'ISOLATION LEVEL REPEATABLE READ',
  );
  await makeKeys(seed);
  await startPublishing(live, seed.stream);
  const position = await createSlot(live, seed.stream, seed.slotLimit);
  await notePosition(candidate, position);
  return position;
}

/** Their root stands for them. */
const partitions =
  'SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition';
