import { pauseUnless } from '../../model/wait.ts';
import { rows, type Client } from '../client.ts';
import { cutChunks, wholeTable, type Bound, type Chunk } from './chunk.ts';
import type { Subject } from './subject.ts';
import { RowTally } from './tally.ts';
import type { TableComparison } from './types.ts';

/** One table while it is being compared. */
export interface CompareWork {
  readonly subject: Subject;
  method: TableComparison['method'];
  chunks: readonly Chunk[];
  readonly tally: RowTally;
  /** Keys that differed when they were read first, to be settled together. */
  suspects: Bound[];
  checked: number;
  rowsLive: number;
  rowsCandidate: number;
  /** By how much the counts of examined chunks differed when they were read. */
  inFlight: number;
  ms: number;
  unexamined: number;
  byLock: number;
  unsettled: number;
}

export interface Task {
  readonly work: CompareWork;
  readonly chunk: Chunk;
}

export interface PlanOptions {
  readonly chunkBytes: number;
  readonly sample: number;
  readonly budgetMs: number | undefined;
}

/** Below this, an index walks the table in another order than it lies in, and each row costs a page. */
const orderly = 0.5;
/** Bytes a millisecond that one pass is sure to do, to tell whether it fits a budget; a tenth of what was measured. */
const surePace = 20_000;
/**
 * Bytes of a table that is tried as a whole; a longer statement would hold back vacuum for minutes and show no
 * progress.
 */
const wholeAtMost = 8 * 1024 ** 3;

/**
 * Decides how a table is read. First as a whole, where it isn't too large, by one statement on each side: a sequential
 * scan costs two thirds of an index scan, half of a grouped one, and a statement sees one snapshot, so that the digests
 * differ only by what was in flight between two moments. Where they differ, and where the table is `busy` or wanted
 * only in part, in chunks.
 */
export async function planTable(
  live: Client,
  subject: Subject,
  options: PlanOptions,
  busy: boolean,
): Promise<CompareWork> {
  const work: CompareWork = {
    subject,
    method: 'whole',
    chunks: [wholeTable],
    tally: new RowTally(subject),
    suspects: [],
    checked: 0,
    rowsLive: 0,
    rowsCandidate: 0,
    inFlight: 0,
    ms: 0,
    unexamined: 0,
    byLock: 0,
    unsettled: 0,
  };
  const small = subject.bytes <= options.chunkBytes;
  if (!small && (busy || partial(subject, options) || subject.bytes > wholeAtMost)) await divide(live, work, options);
  return work;
}

/**
 * Cuts a table into chunks. One that lies in another order than its key's is read in one pass by buckets instead,
 * unless only a part of it is wanted: a pass can't be stopped halfway and still say anything.
 */
export async function divide(live: Client, work: CompareWork, options: PlanOptions): Promise<void> {
  const { subject } = work;
  const count = Math.ceil(subject.bytes / options.chunkBytes);
  const pass = !subject.ordered || (count > 1 && !partial(subject, options) && (await scattered(live, subject)));
  work.method = pass ? 'buckets' : 'ranges';
  if (!pass) work.chunks = await cutChunks(live, subject, count);
}

function partial(subject: Subject, { sample, budgetMs }: PlanOptions): boolean {
  return sample < 1 || (budgetMs !== undefined && subject.bytes / surePace > budgetMs / 4);
}

/** Milliseconds over which writes are counted: a backend reports its own at most once a second. */
const watchMs = 1_200;
/** Bytes of all tables together from which the wait is worth it. */
const watchFrom = 2 * 1024 ** 3;
/** Rows a second; with a lag of tens of milliseconds, more than this are nearly always some in flight. */
const busyFrom = 50;

/**
 * Oids of tables that are written so much that reading them as a whole would be in vain. None for small databases,
 * where trying costs less.
 */
export async function busyTables(
  live: Client,
  oids: readonly number[],
  totalBytes: number,
  signal: AbortSignal,
): Promise<Set<number>> {
  if (totalBytes < watchFrom) return new Set();
  const read = async () =>
    new Map(
      (
        await rows<{ oid: number; writes: number }>(
          live,
          `
    SELECT t.oid::int8::int AS oid, sum(pg_stat_get_tuples_inserted(r) + pg_stat_get_tuples_updated(r) + pg_stat_get_tuples_deleted(r))::float8 AS writes
    FROM unnest($1::oid[]) AS t(oid) CROSS JOIN LATERAL (SELECT t.oid UNION SELECT relid FROM pg_partition_tree(t.oid) WHERE isleaf) l(r)
    GROUP BY 1`,
          [oids],
        )
      ).map(({ oid, writes }) => [oid, writes]),
    );
  const before = await read();
  await pauseUnless(watchMs, signal);
  const after = await read();
  return new Set(oids.filter((oid) => (after.get(oid) ?? 0) - (before.get(oid) ?? 0) > (busyFrom * watchMs) / 1000));
}

async function scattered(live: Client, subject: Subject): Promise<boolean> {
  const [found] = await rows<{ correlation: number | null }>(
    live,
    `
    SELECT avg(abs(s.correlation))::float8 AS correlation FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
    WHERE c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass) WHERE isleaf UNION SELECT $1::regclass) AND s.attname = $2 AND NOT s.inherited`,
    [subject.table.live, subject.key[0]?.name],
  );
  return found?.correlation !== null && found?.correlation !== undefined && found.correlation < orderly;
}

/**
 * The order of all chunks of all tables. Each table's first chunk comes before any second one, and the rest side by
 * side in proportion, so that a budget spent half-way has seen about half of every table.
 */
export function interleave(works: readonly CompareWork[], sample = 1, seed = 1): Task[] {
  const random = generator(seed);
  return works
    .flatMap((work) => {
      const chosen =
        sample < 1 ? choose(work.chunks, Math.max(1, Math.round(sample * work.chunks.length)), random) : work.chunks;
      return chosen.map((chunk, index) => ({ task: { work, chunk }, place: index / chosen.length }));
    })
    .sort((a, b) => a.place - b.place)
    .map(({ task }) => task);
}

function choose<T>(items: readonly T[], count: number, random: () => number): T[] {
  return items
    .map((item, index) => ({ item, index, lot: random() }))
    .sort((a, b) => a.lot - b.lot)
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
