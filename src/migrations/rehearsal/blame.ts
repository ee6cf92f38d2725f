import { conflict } from './modes.ts';
import type { Measured, MeasuredFile } from './measure.ts';
import type { ObservedHold, ObservedWait } from './observed.ts';

/**
 * The statement behind whose lock a query waited: of those in the transaction under way, the first that took a lock on
 * the table which conflicts; where the wait is for a row or the lock went unseen, the one that ran when the wait began.
 */
export function blame(
  wait: ObservedWait,
  statements: readonly Measured[],
  locksOf: (statement: Measured) => readonly { readonly table: string; readonly mode: ObservedHold['mode'] }[],
  files: readonly MeasuredFile[],
): number | undefined {
  const file = files.find(({ at, end, transactional }) => transactional && wait.from >= at && wait.from <= end);
  const { table, mode } = wait;
  if (file && table !== null && mode) {
    // The state after a statement is known only when it ended, so a statement that runs counts as soon as it has begun.
    const found = statements.findIndex(
      (statement) =>
        statement.at >= file.at &&
        statement.at <= wait.to &&
        locksOf(statement).some((lock) => lock.table === table && conflict(lock.mode, mode)),
    );
    if (found >= 0) return found;
  }
  const running = statements.findLastIndex(({ at }) => at <= wait.from);
  return running < 0 ? undefined : running;
}

/**
 * Holds as seen from outside, made exact by what the session itself knew: in a transaction a lock is kept to its end,
 * it was there when the statement that took it ended, and one that no sample met was there all the same.
 */
export function completeHolds(
  seen: readonly ObservedHold[],
  statements: readonly Measured[],
  files: readonly MeasuredFile[],
): ObservedHold[] {
  const holds = seen.map((hold) => ({ ...hold }));
  for (const file of files.filter(({ transactional }) => transactional)) {
    for (const hold of holds) if (hold.from >= file.at && hold.from <= file.end) hold.to = file.end;
    for (const statement of statements.filter(({ at }) => at >= file.at && at <= file.end)) {
      for (const { table, mode } of statement.locks)
        holds.push({ table, mode, from: statement.at + statement.ms, to: file.end });
    }
  }
  return joined(holds);
}

/** Parallel workers hold what their leader holds: that is one lock to whoever waits. */
function joined(holds: readonly ObservedHold[]): ObservedHold[] {
  const result: ObservedHold[] = [];
  for (const hold of holds.toSorted((a, b) => a.from - b.from)) {
    const same = result.find(({ table, mode, to }) => table === hold.table && mode === hold.mode && to >= hold.from);
    if (same) same.to = Math.max(same.to, hold.to);
    else result.push({ ...hold });
  }
  return result;
}

/** When a wait ended at the latest: with the transaction that it was behind. Samples see that only afterwards. */
export function endOf(wait: ObservedWait, files: readonly MeasuredFile[]): number {
  const file = files.find(({ at, end, transactional }) => transactional && wait.from >= at && wait.from <= end);
  return file ? Math.max(wait.from, Math.min(wait.to, file.end)) : wait.to;
}
