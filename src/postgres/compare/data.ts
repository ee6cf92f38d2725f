import { VerdigrisError } from '../../model/errors.ts';
import { digestBuckets, digestChunk, type Bound, type Digest } from './chunk.ts';
import { bucketCount, differingKeys, groupBuckets } from './examine.ts';
import { readFacts } from './facts.ts';
import { summarize } from './result.ts';
import { withLocker, withPairs, type Pair } from './session.ts';
import { settle, type Barrier } from './settle.ts';
import { makeSubject, type Subject } from './subject.ts';
import type { CompareOptions, DataComparison } from './types.ts';
import { interleave, planTable, type Task, type Work } from './work.ts';

/** A table with this many proven differences is wrong beyond doubt: its other chunks are only compared as wholes. */
const differencesEnough = 10_000;
/** Keys that wait to be settled; more are settled at once, so that memory stays bounded. */
const suspectsAtOnce = 5_000;

/**
 * Compares the data of two databases while replication runs: digests of chunks on both sides at the same time, then the rows of
 * those that differ, then each such row until it is proven equal or different (settle.ts). Writes nothing, but may lock a few live rows
 * for up to half a second. Throws the signal's reason where it fires, and leaves no query behind.
 */
export async function compareData(options: CompareOptions): Promise<DataComparison> {
  const { connections = 2, chunkBytes = 16 * 1024 ** 2, budgetMs, sample = 1, seed = 1, statementTimeoutMs = 600_000 } = options;
  if (!(sample > 0 && sample <= 1) || !(connections >= 1) || !(chunkBytes >= 8192)) {
    throw new VerdigrisError('usage', 'compare-options', {
      seen: `A comparison was asked for with sample ${sample}, connections ${connections}, chunks of ${chunkBytes} bytes.`,
      required: 'a sample above 0 and up to 1, at least one connection, chunks of at least 8192 bytes.',
      next: 'mend the options.',
    });
  }
  const startedAt = Date.now();
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const sessions = { statementTimeoutMs, signal };

  try {
    return await withPairs(options.live, options.candidate, Math.floor(connections), sessions, async (pairs) => {
      const works = await plan(pairs, options, { chunkBytes, sample, budgetMs }, failed);
      const tasks = interleave(works, sample, seed);
      const planned = tasks.length;
      const progress = progressOf(works, tasks, options);
      const next = () => (budgetMs !== undefined && Date.now() - startedAt >= budgetMs ? undefined : tasks.shift());
      await inParallel(pairs, failed, (pair) =>
        withLocker(options.live, sessions, async (locker) => {
          const barrier: Barrier = { passed: (lsn) => options.passed(lsn), signal, locker };
          for (let task = next(); task; task = next()) {
            signal.throwIfAborted();
            await timed(task.work, () => check(pair, task as Task, barrier));
            progress(task);
          }
          for (const work of works) await timed(work, () => settleSuspects(pair, work, barrier));
        }));
      // A table's last suspects may have been collected by a worker that was still busy when another looked.
      const [first] = pairs as [Pair];
      await withLocker(options.live, sessions, async (locker) => {
        for (const work of works) await timed(work, () => settleSuspects(first, work, { passed: (lsn) => options.passed(lsn), signal, locker }));
      });
      return summarize(works, { planned, left: tasks.length, sample, seconds: (Date.now() - startedAt) / 1000 });
    });
  } catch (error) {
    // Terminated backends fail in their own ways; what fired the signal is the reason that counts.
    options.signal?.throwIfAborted();
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

async function plan(pairs: readonly Pair[], options: CompareOptions, how: Parameters<typeof planTable>[2], failed: AbortController): Promise<Work[]> {
  const [{ live, candidate }] = pairs as [Pair];
  const [left, right] = await Promise.all([
    readFacts(live, options.tables.map((mapping) => mapping.live.oid)),
    readFacts(candidate, options.tables.map((mapping) => mapping.candidate.oid)),
  ]);
  const subjects = options.tables.map((mapping): Subject => {
    const [here, there] = [left.get(mapping.live.oid), right.get(mapping.candidate.oid)];
    if (!here || !there) {
      throw new VerdigrisError('failed', 'compare-table-gone', {
        seen: `The table ${mapping.live.schema}.${mapping.live.name} is no longer there on the ${here ? 'candidate' : 'live'} side.`,
        required: 'tables that stay while they are compared.',
        next: 'see what changed the schema, then compare again.',
      });
    }
    return makeSubject(mapping, here, there);
  });
  const works: Work[] = [];
  const waiting = subjects.map((subject, index) => ({ subject, index }));
  await inParallel(pairs, failed, async (pair) => {
    for (let item = waiting.shift(); item; item = waiting.shift()) works[item.index] = await planTable(pair.live, item.subject, how);
  });
  return works;
}

async function check(pair: Pair, { work, chunk }: Task, barrier: Barrier): Promise<void> {
  const { subject, tally } = work;
  // One pass of a large table brings the digests of all its buckets; small tables and ranges need only one figure.
  const buckets = work.method === 'buckets' ? bucketCount(subject.rows) : 1;
  const [live, candidate] = await Promise.all((['live', 'candidate'] as const).map(async (side) =>
    buckets > 1
      ? digestBuckets(pair[side], subject, side, chunk, buckets)
      : new Map([[0, await digestChunk(pair[side], subject, side, chunk)]]))) as [Map<number, Digest>, Map<number, Digest>];
  const rows = { live: total(live), candidate: total(candidate) };
  work.checked++;
  work.rowsLive += rows.live;
  work.rowsCandidate += rows.candidate;
  const groups = groupBuckets(live, candidate);
  if (groups.length === 0) return;
  if (tally.count >= differencesEnough) {
    work.unexamined++;
    return;
  }
  const enough = () => tally.count >= differencesEnough;
  const complete = await differingKeys(pair, subject, chunk, buckets > 1 ? { buckets, groups } : Math.max(rows.live, rows.candidate), async (keys) => {
    for (const key of keys) work.suspects.push(key);
    if (work.suspects.length >= suspectsAtOnce) await settleSuspects(pair, work, barrier);
  }, enough);
  if (!complete) work.unexamined++;
  // What was in flight is no surplus: once its rows are settled, the tally says by how much the candidate's count is off.
  work.inFlight += rows.live - rows.candidate;
}

async function settleSuspects(pair: Pair, work: Work, barrier: Barrier): Promise<void> {
  while (work.suspects.length > 0) {
    const keys: Bound[] = work.suspects.splice(0, 1000);
    const { verdicts, byLock } = await settle(pair, work.subject, keys, barrier);
    work.byLock += byLock;
    work.unsettled += verdicts.filter((verdict) => verdict.is === 'unsettled').length;
    await work.tally.add(pair, keys, verdicts);
  }
}

function total(digests: ReadonlyMap<number, Digest>): number {
  let rows = 0;
  for (const digest of digests.values()) rows += digest.rows;
  return rows;
}

function progressOf(works: readonly Work[], tasks: readonly Task[], options: CompareOptions): (task: Task) => void {
  const share = (work: Work) => work.subject.bytes / work.chunks.length;
  const totalBytes = Math.round(tasks.reduce((sum, { work }) => sum + share(work), 0));
  return ({ work }) => options.onProgress?.({
    table: work.subject.label,
    rows: works.reduce((sum, each) => sum + each.rowsLive, 0),
    bytes: Math.round(works.reduce((sum, each) => sum + each.checked * share(each), 0)),
    totalBytes,
  });
}

async function timed(work: Work, run: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await run();
  work.ms += performance.now() - begun;
}

/** One worker a pair. The first failure stops the others, and all have ended when this returns. */
async function inParallel(pairs: readonly Pair[], failed: AbortController, run: (pair: Pair) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(pairs.map(async (pair) => {
    try {
      await run(pair);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }));
  if (outcomes.some((outcome) => outcome.status === 'rejected')) throw failed.signal.reason;
}
