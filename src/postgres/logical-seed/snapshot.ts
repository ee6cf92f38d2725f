import type { Lsn } from '../../model/lsn.ts';
import { withOwnSession } from '../session.ts';
import { literal } from '../quote.ts';
import { carrySequences, rememberSequences } from '../sequences.ts';
import { emptyTables, copyRows, type RowCopy } from './copy-rows.ts';
import { dumpSchema, type PgDump } from './dump.ts';
import { withExportedSlot, type ExportedSlot } from './exported-slot.ts';
import { notePosition, noteSeeded, readSeed } from './ledger.ts';
import { planRanges, readSources } from './ranges.ts';
import { finishSchema, makeSchema, tablespacesOf } from './schema.ts';
import type { PartObjects } from './statements.ts';

export interface SnapshotSeed extends RowCopy {
  /** Name of the publication, which is there, and of the slot, which is made. */
  readonly stream: string;
  /** From `findPgDump`, or beside the live server. */
  readonly pgDump: PgDump;
  /** Only this of the database. */
  readonly part?: PartObjects | undefined;
  /** Milliseconds that transactions of the live server may keep the slot from being made. */
  readonly slotLimit: number;
}

export interface Seeded {
  /**
   * C, where the slot begins: the candidate holds exactly what was committed before. Subscribe from the slot with
   * copy_data = false.
   */
  readonly position: Lsn;
  /**
   * How long the live server could not vacuum what was deleted or updated meanwhile, in ms; 0 where an earlier attempt
   * had copied the rows.
   */
  readonly horizonMs: number;
  readonly rows: number;
}

/**
 * Fills the candidate's empty database from one snapshot of the live one, many tables and parts of tables at a time,
 * and builds the indexes side by side. Roles must be there (globals). May be called again after a kill at any point:
 * rows that were being copied are copied from a new snapshot, for the old one went with its session; from then on
 * nothing is repeated.
 * @throws VerdigrisError `slot-timeout`, `dump-failed`, `candidate-not-empty`, `seed-other-schema`, `seed-schema`,
 * `copy-failed`.
 */
export async function seedFromSnapshot(seed: SnapshotSeed): Promise<Seeded> {
  const before = await withOwnSession(seed.candidate, 'seed', readSeed);
  const copied =
    before?.position === undefined || before.position === null
      ? await copyAll(seed)
      : { position: before.position, horizonMs: 0, rows: 0 };
  if (before?.seeded === true) return copied;
  await finishSchema(seed);
  await withOwnSession(seed.live, 'seed', (live) =>
    withOwnSession(seed.candidate, 'seed', async (candidate) => {
      await carrySequences(live, candidate);
      await rememberSequences(candidate);
      await noteSeeded(candidate);
    }),
  );
  return copied;
}

async function copyAll(seed: SnapshotSeed): Promise<Seeded> {
  const begun = performance.now();
  const copied = await withExportedSlot(seed.live, seed.stream, seed.slotLimit, async (slot) => {
    const spaces = await withOwnSession(seed.candidate, 'seed', tablespacesOf);
    await makeSchema(seed, 'snapshot', await dumpSchema(seed, slot.snapshot, spaces));
    const rows = await copyFromSlot(seed, slot);
    await withOwnSession(seed.candidate, 'seed', (candidate) => notePosition(candidate, slot.position));
    return { position: slot.position, rows };
  });
  return { ...copied, horizonMs: Math.round(performance.now() - begun) };
}

async function copyFromSlot(seed: SnapshotSeed, { snapshot }: ExportedSlot): Promise<number> {
  const ranges = await withOwnSession(seed.live, 'seed', async (live) => {
    // A table that was made since is none of this seed's.
    await live.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(snapshot)}`);
    const sources = await readSources(live);
    await withOwnSession(seed.candidate, 'seed', (candidate) => emptyTables(candidate, sources));
    return planRanges(live, sources);
  });
  return copyRows(ranges, snapshot, seed);
}
