import { VerdigrisError } from '../../model/errors.ts';
import { asLogin, type Client } from '../../postgres/client.ts';
import { runBatch } from './batch.ts';
import type { Backfill } from './files.ts';
import { installKeeper } from './keeper.ts';
import { planBackfill, type BackfillPlan } from './plan.ts';
import { beginProgress } from './progress.ts';
import { yielding, type Pressure } from './throttle.ts';

export interface BackfillReport {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** In this run. */
  readonly seen: number;
  readonly filled: number;
  readonly seconds: number;
  /** Seconds of them that it stood still for others. */
  readonly yielded: number;
}

export interface BackfillProgress {
  readonly name: string;
  /** Of the whole backfill, runs before this one included. */
  readonly seen: number;
  /** The planner's estimate of the table's rows; 0 where it has none. */
  readonly total: number;
  readonly rowsPerSecond: number;
  /** Undefined where it cannot be estimated. */
  readonly secondsLeft: number | undefined;
  readonly waiting: string | undefined;
}

export interface BackfillRun {
  /** Where the session is one of `withOwnerSession`: the operator's beside it. */
  readonly operator?: Client;
  /** As whom `set` and `where` are computed; without it, as whoever is connected. */
  readonly owner?: string | undefined;
  readonly release: string;
  /** On a candidate: triggers stay quiet, and rows that arrive are filled on their way in. */
  readonly onCandidate: boolean;
  /** Begin at the first row although it is complete: for rows that drifted since. */
  readonly again: boolean;
  readonly pressure: Pressure;
  /** Where the file names none. */
  readonly lagLimit: number;
  /** performance.now() at which to stop; what is left is the next run's. */
  readonly until?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BackfillProgress) => void;
}

/** Attempts in a row at one batch that gave way to others. */
const attempts = 30;
/** lock_timeout, deadlock_detected, serialization_failure: somebody else was at these rows. */
const givenWay = new Set(['55P03', '40P01', '40001']);

/**
 * Runs a backfill from where the database says it is to its end, in a session for the user's SQL.
 * @throws VerdigrisError `backfill-target`, `backfill-key`, `backfill-failed`, `backfill-blocked`,
 * `backfill-time-limit`, `backfill-elsewhere`.
 */
export function runBackfill(client: Client, backfill: Backfill, run: BackfillRun): Promise<BackfillReport> {
  return asLogin(client, (path) => runWithPath(client, backfill, run, path));
}

async function runWithPath(
  client: Client,
  backfill: Backfill,
  run: BackfillRun,
  path: string,
): Promise<BackfillReport> {
  const begun = performance.now();
  const { operator = client, owner } = run;
  const plan = await planBackfill(client, backfill);
  // First: a row that arrives behind the position would otherwise be met by nobody.
  if (run.onCandidate && backfill.trigger)
    await attempted(
      () => asLogin(operator, () => installKeeper(operator, plan, { path, owner }, 2_000)),
      plan,
      run.signal,
      () => undefined,
    );
  const known = await beginProgress(client, backfill, run.release, run.again);
  let { position, seen } = known;
  const before = seen;
  const total = Math.max(0, Math.round(plan.table.estimatedRows));
  const until = Math.min(
    run.until ?? Infinity,
    backfill.limits.time === undefined ? Infinity : begun + backfill.limits.time,
  );
  const limits = { lag: backfill.limits.lag ?? run.lagLimit, active: backfill.limits.active };
  let filled = 0;
  let yielded = 0;
  let rows = Math.min(500, backfill.batch.rows);
  const tell = (waiting?: string): void => {
    const rate = (seen - before) / Math.max(0.001, (performance.now() - begun) / 1000);
    run.onProgress({
      name: backfill.name,
      seen,
      total,
      rowsPerSecond: rate,
      secondsLeft: rate > 0 && total > seen ? (total - seen) / rate : undefined,
      waiting,
    });
  };
  while (known.doneAt === null || run.again) {
    const from = performance.now();
    const { waited, room } = await yielding(run.pressure, limits, { until, signal: run.signal, say: tell });
    if (waited) yielded += performance.now() - from;
    if (performance.now() >= until) throw outOfTime(backfill, seen, total);
    const at = performance.now();
    // On a candidate a batch adds nothing to what the live colour has still to send.
    if (!run.onCandidate) rows = Math.max(1, Math.min(rows, Math.floor(room / plan.mostPerRow)));
    const batch = await attempted(
      () => runBatch(client, plan, { path, owner, from: position, rows, quiet: run.onCandidate }),
      plan,
      run.signal,
      () => (rows = Math.max(1, rows >> 1)),
    );
    if (batch.position === null) break;
    position = batch.position;
    seen += batch.seen;
    filled += batch.filled;
    tell();
    // Twice as many at most, so that one fast batch does not make a slow one; half as many where others had to be
    // waited for.
    const fitted = waited
      ? rows / 2
      : Math.min(rows * 2, (rows * backfill.batch.time) / Math.max(1, performance.now() - at));
    rows = Math.max(1, Math.min(backfill.batch.rows, Math.round(fitted)));
  }
  return {
    name: backfill.name,
    table: backfill.table,
    columns: backfill.assignments.map(({ column }) => column),
    seen: seen - before,
    filled,
    seconds: (performance.now() - begun) / 1000,
    yielded: yielded / 1000,
  };
}

async function attempted<T>(
  work: () => Promise<T>,
  { backfill }: BackfillPlan,
  signal: AbortSignal,
  shrink: () => void,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof VerdigrisError) throw cause;
      const { code, message } = cause as { code?: string; message: string };
      const blocked = givenWay.has(code ?? '');
      if (blocked && attempt < attempts) {
        shrink();
        continue;
      }
      throw new VerdigrisError(blocked ? 'backfill-blocked' : 'backfill-failed', {
        seen: blocked
          ? `${backfill.name} gave way ${attempts} times in a row to somebody who is at the same rows of ${backfill.table} (${message}).`
          : `${backfill.name}: ${message}`,
        required: blocked ? 'rows that are free within 2 s.' : 'that `set` and `where` can be computed for every row.',
        next: `${blocked ? 'end the transaction that holds them' : 'fix the file'}, then run it again: it continues after the last batch.`,
        facts: { backfill: backfill.name, file: backfill.path, sqlstate: code },
        cause,
      });
    }
  }
}

function outOfTime({ name }: Backfill, seen: number, total: number): VerdigrisError {
  return new VerdigrisError('backfill-time-limit', {
    seen: `${name} was stopped by its time limit after ${seen}${total > 0 ? ` of about ${total}` : ''} rows.`,
    required: 'more time.',
    next: 'run `verdigris backfill` again: it continues there. Until it is complete, the switchover is refused.',
    facts: { backfill: name, seen, total },
  });
}
