import { VerdigrisError } from '../../model/errors.ts';
import { digestBuckets, digestChunk, type Bound, type Digest } from './chunk.ts';
import { bucketCount, differingKeys, groupBuckets } from './examine.ts';
import { readFacts } from './facts.ts';
import { summarize } from './result.ts';
import { withLocker, withPairs, type ComparePair } from './session.ts';
import { settleKeys } from './settle.ts';
import type { Barrier } from './verdict.ts';
import { makeSubject, type Subject } from './subject.ts';
import type { CompareOptions, DataComparison } from './types.ts';
import { busyTables, divide, interleave, planTable, type PlanOptions, type Task, type CompareWork } from './work.ts';

/** A table with this many proven differences is wrong beyond doubt: its other chunks are only compared as wholes. */
const differencesEnough = 10_000;
/** Keys that wait to be settled; more are settled at once, so that memory stays bounded. */
const suspectsAtOnce = 5_000;

/**
 * Compares the data of two databases while replication runs: digests of chunks on both sides at the same time, then the
 * rows of those that differ, then each such row until it is proven equal or different (settle.ts). Writes nothing, but
 * may lock a few live rows for up to half a second. Throws the signal's reason where it fires, and leaves no query
 * behind.
 */
export async function compareData(options: CompareOptions): Promise<DataComparison> {
  const { connections = 2, chunkBytes = 16 * 1024 ** 2, budgetMs, sample = 1, seed = 1 } = options;
  const largest = Math.max(0, ...options.tables.map(({ live }) => live.bytes));
  const { statementTimeoutMs = Math.max(600_000, Math.ceil(largest / 5_000)) } = options;
  if (!(sample > 0 && sample <= 1) || !(connections >= 1) || !(chunkBytes >= 8192)) {
    throw new VerdigrisError('compare-options', {
      seen: `A comparison was asked for with sample ${sample}, connections ${connections}, chunks of ${chunkBytes} bytes.`,
      required: 'a sample above 0 and up to 1, at least one connection, chunks of at least 8192 bytes.',
      next: 'fix the options.',
    });
  }
  const startedAt = performance.now();
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const sessions = { statementTimeoutMs, signal };

  try {
    return await withPairs(options.live, options.candidate, Math.floor(connections), sessions, async (pairs) => {
      const how: PlanOptions = { chunkBytes, sample, budgetMs };
      const works = await plan(pairs, options, how, failed, signal);
      const progress = progressOf(works, options);
      const spent = () => budgetMs !== undefined && performance.now() - startedAt >= budgetMs;
      const barrierOf = (locker: Barrier['locker']): Barrier => ({
        passed: (lsn) => options.passed(lsn),
        signal,
        locker,
      });
      // Tables whose wholes differ come again in chunks, side by side.
      let tasks = interleave(works, sample, seed);
      while (tasks.length > 0 && !spent()) {
        const divided: CompareWork[] = [];
        await inParallel(pairs, failed, (pair) =>
          withLocker(options.locker ?? options.live, sessions, async (locker) => {
            for (let task = tasks.shift(); task; task = spent() ? undefined : tasks.shift()) {
              signal.throwIfAborted();
              const current = task;
              await timed(current.work, async () => {
                if (await check(pair, current, chunkBytes, barrierOf(locker))) return;
                await divide(pair.live, current.work, how);
                divided.push(current.work);
              });
              progress(current);
            }
          }),
        );
        tasks = [...tasks, ...interleave(divided)];
      }
      const open = [...works];
      await inParallel(pairs, failed, (pair) =>
        withLocker(options.locker ?? options.live, sessions, async (locker) => {
          for (let work = open.shift(); work; work = open.shift()) {
            const current = work;
            await timed(current, () => settleSuspects(pair, current, barrierOf(locker)));
          }
        }),
      );
      return summarize(works, { left: tasks.length, sample, seconds: (performance.now() - startedAt) / 1000 });
    });
  } catch (error) {
    // Terminated backends fail in their own ways; what fired the signal is the reason that counts.
    options.signal?.throwIfAborted();
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

async function plan(
  pairs: readonly ComparePair[],
  options: CompareOptions,
  how: PlanOptions,
  failed: AbortController,
  signal: AbortSignal,
): Promise<CompareWork[]> {
  const [{ live, candidate }] = pairs as [ComparePair];
  const [left, right] = await Promise.all([
    readFacts(
      live,
      options.tables.map((mapping) => mapping.live.oid),
    ),
    readFacts(
      candidate,
      options.tables.map((mapping) => mapping.candidate.oid),
    ),
  ]);
  const subjects = options.tables.map((mapping): Subject => {
    const [here, there] = [left.get(mapping.live.oid), right.get(mapping.candidate.oid)];
    if (!here || !there) {
      throw new VerdigrisError('compare-table-gone', {
        seen: `The table ${mapping.live.schema}.${mapping.live.name} is no longer there on the ${here ? 'candidate' : 'live'} side.`,
        required: 'tables that stay while they are compared.',
        next: 'see what changed the schema, then compare again.',
      });
    }
    return makeSubject(mapping, here, there);
  });
  const oids = options.tables.map((mapping) => mapping.live.oid);
  const busy =
    how.sample < 1
      ? new Set<number>()
      : await busyTables(
          live,
          oids,
          subjects.reduce((sum, { bytes }) => sum + bytes, 0),
          signal,
        );
  const works: CompareWork[] = [];
  const waiting = subjects.map((subject, index) => ({ subject, index }));
  await inParallel(pairs, failed, async (pair) => {
    for (let item = waiting.shift(); item; item = waiting.shift())
      works[item.index] = await planTable(pair.live, item.subject, how, busy.has(oids[item.index] as number));
  });
  return works;
}

/** False where a table that was read as a whole differs and has to be divided. */
async function check(pair: ComparePair, { work, chunk }: Task, chunkBytes: number, barrier: Barrier): Promise<boolean> {
  const { subject, tally } = work;
  // Few enough that the sums stay in the processor's cache.
  const buckets = work.method === 'buckets' ? Math.min(4096, bucketCount(subject.rows / 8)) : 1;
  const [live, candidate] = (await Promise.all(
    (['live', 'candidate'] as const).map(async (side) =>
      buckets > 1
        ? digestBuckets(pair[side], subject, side, chunk, buckets)
        : new Map([[0, await digestChunk(pair[side], subject, side, chunk)]]),
    ),
  )) as [Map<number, Digest>, Map<number, Digest>];
  const rows = { live: total(live), candidate: total(candidate) };
  const groups = groupBuckets(live, candidate);
  if (work.method === 'whole' && groups.length > 0 && subject.bytes > chunkBytes) return false;
  work.checked++;
  work.rowsLive += rows.live;
  work.rowsCandidate += rows.candidate;
  if (groups.length === 0) return true;
  if (tally.count >= differencesEnough) {
    work.unexamined++;
    return true;
  }
  const enough = () => tally.count >= differencesEnough;
  const complete = await differingKeys(
    pair,
    subject,
    chunk,
    buckets > 1 ? { buckets, groups } : Math.max(rows.live, rows.candidate),
    async (keys) => {
      for (const key of keys) work.suspects.push(key);
      if (work.suspects.length >= suspectsAtOnce) await settleSuspects(pair, work, barrier);
    },
    enough,
  );
  if (!complete) work.unexamined++;
  // What was in flight is no surplus: once its rows are settled, the tally says by how much the candidate's count is
  // off.
  work.inFlight += rows.live - rows.candidate;
  return true;
}

async function settleSuspects(pair: ComparePair, work: CompareWork, barrier: Barrier): Promise<void> {
  while (work.suspects.length > 0) {
    const keys: Bound[] = work.suspects.splice(0, 1000);
    const { verdicts, byLock } = await settleKeys(pair, work.subject, keys, barrier);
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

function progressOf(works: readonly CompareWork[], options: CompareOptions): (task: Task) => void {
  const share = (work: CompareWork) => work.subject.bytes / work.chunks.length;
  const totalBytes = Math.round((options.sample ?? 1) * works.reduce((sum, { subject }) => sum + subject.bytes, 0));
  return ({ work }) =>
    options.onProgress?.({
      table: work.subject.label,
      rows: works.reduce((sum, each) => sum + each.rowsLive, 0),
      bytes: Math.round(works.reduce((sum, each) => sum + each.checked * share(each), 0)),
      totalBytes,
    });
}

async function timed(work: CompareWork, run: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await run();
  work.ms += performance.now() - begun;
}

/** One worker a pair. The first failure stops the others, and all have ended when this returns. */
async function inParallel(
  pairs: readonly ComparePair[],
  failed: AbortController,
  run: (pair: ComparePair) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    pairs.map(async (pair) => {
      try {
        await run(pair);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (outcomes.some((outcome) => outcome.status === 'rejected')) throw failed.signal.reason;
}
