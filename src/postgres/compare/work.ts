import { rows, type Client } from '../client.ts';
import { cutChunks, wholeTable, type Bound, type Chunk } from './chunk.ts';
import type { Subject } from './subject.ts';
import { Tally } from './tally.ts';

/** One table while it is being compared. */
export interface Work {
  readonly subject: Subject;
  readonly method: 'ranges' | 'buckets';
  readonly chunks: readonly Chunk[];
  readonly tally: Tally;
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
  readonly work: Work;
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
 * Cuts a table into chunks. A large table that lies in another order than its key's is read in one pass of its pages instead, unless
 * only a part of it is wanted: a pass can't be stopped halfway and still say anything.
 */
export async function planTable(live: Client, subject: Subject, options: PlanOptions): Promise<Work> {
  const count = Math.ceil(subject.bytes / options.chunkBytes);
  const partial = options.sample < 1 || (options.budgetMs !== undefined && subject.bytes / surePace > options.budgetMs / 4);
  const passes = !subject.ordered || (count > 1 && !partial && (await scattered(live, subject)));
  return {
    subject, method: passes ? 'buckets' : 'ranges', chunks: passes ? [wholeTable] : await cutChunks(live, subject, count), tally: new Tally(subject),
    suspects: [], checked: 0, rowsLive: 0, rowsCandidate: 0, inFlight: 0, ms: 0, unexamined: 0, byLock: 0, unsettled: 0,
  };
}

async function scattered(live: Client, subject: Subject): Promise<boolean> {
  const [found] = await rows<{ correlation: number | null }>(live, `
    SELECT avg(abs(s.correlation))::float8 AS correlation FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
    WHERE c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass) WHERE isleaf UNION SELECT $1::regclass) AND s.attname = $2 AND NOT s.inherited`,
  [subject.table.live, subject.key[0]?.name]);
  return found?.correlation !== null && found?.correlation !== undefined && found.correlation < orderly;
}

/**
 * The order of all chunks of all tables. Each table's first chunk comes before any second one, and the rest side by side in
 * proportion, so that a budget spent half-way has seen about half of every table.
 */
export function interleave(works: readonly Work[], sample: number, seed: number): Task[] {
  const random = generator(seed);
  return works
    .flatMap((work) => {
      const chosen = sample < 1 ? choose(work.chunks, Math.max(1, Math.round(sample * work.chunks.length)), random) : work.chunks;
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
