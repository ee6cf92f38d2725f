import type { Span } from '../../model/journal.ts';
import type { Context } from './context.ts';
import { within } from './deadline.ts';
import { commit, completeOperation } from './forward.ts';
import type { Operation } from './operation.ts';
import { current, withEnded } from './steps.ts';

/**
 * Settles a `start` that was cut short, as `revert` does; where that is impossible and needless, goes forward. Says
 * whether it did. Only while nothing was undone yet: a live colour that was opened again may have taken writes.
 */
export async function settleOperation(
  c: Context,
  operation: Operation,
  track: Span[] = [],
): Promise<'forward' | 'reverted'> {
  if (current(c.journal).phase === 'start' && (await operation.stranded?.(c))) {
    c.emit({
      type: 'note',
      text: `${c.live} cannot be started, and ${c.idle} holds all that it acknowledged: going forward`,
    });
    await commit(c, operation, track);
    await completeOperation(c, operation, track);
    return 'forward';
  }
  await revert(c, operation, track);
  return 'reverted';
}

/** Milliseconds for undoing a step while clients wait: a live colour that crashed has to be started. */
const undoLimit = 90_000;

/**
 * A server that others run may be back in a moment, by a failover of theirs: what is to be undone there waits for it.
 * While clients wait that is the business of the steps, which let them go first.
 */
async function untilAnswers(c: Context, { start }: Operation): Promise<void> {
  if (start.some(({ held }) => held) || c.platform.servers.ownsStorage(c.live)) return;
  await c.platform.servers.start(c.live);
}

/** Undoes what `start` did, newest first, and closes the operation. Safe to run again. */
export async function revert(c: Context, operation: Operation, track: Span[] = []): Promise<void> {
  const touched = new Set(current(c.journal).steps.map((step) => step.id));
  if (current(c.journal).phase !== 'revert') {
    await c.ledger.write((journal) => {
      const known = withEnded(journal, track);
      return { ...known, operation: { ...current(known), phase: 'revert' } };
    });
  }
  await untilAnswers(c, operation);
  const newestFirst = operation.start.toReversed();
  for (const step of [...newestFirst.filter(({ frees }) => frees), ...newestFirst.filter(({ frees }) => !frees)]) {
    if (!touched.has(step.id) || !step.undo) continue;
    c.lost.throwIfAborted();
    const startedAt = performance.now();
    await (step.held ? within(undoLimit, step, step.undo(c)) : step.undo(c));
    c.emit({
      type: 'step',
      verb: operation.verb,
      step: step.id,
      title: step.title,
      status: 'undone',
      ms: Math.round(performance.now() - startedAt),
    });
  }
  await c.ledger.write((journal) => ({ ...journal, operation: null }));
}
