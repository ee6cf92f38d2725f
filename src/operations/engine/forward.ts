import { pathOf } from '../../model/transitions.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Span } from '../../model/journal.ts';
import type { Context } from './context.ts';
import { Deadline, within } from './deadline.ts';
import type { Operation, Step } from './operation.ts';
import { announce, begun, current, withEnded, groups, remaining, runStep } from './steps.ts';

export async function start(c: Context, operation: Operation, track: Span[]): Promise<void> {
  const { limit } = operation;
  const deadline = new Deadline();
  try {
    for (const group of groups(remaining(c, operation.start))) {
      await announce(c, group, track);
      for (const step of group) {
        c.signal.throwIfAborted();
        if (limit?.from === step.id) deadline.arm(limit.ms(c), operation.verb);
        await deadline.race(runStep(c, operation, step, track));
      }
    }
    await commit(c, operation, track);
  } finally {
    deadline.disarm();
  }
}

/**
 * The commit point: a single compare-and-swap. Whoever lost the lease fails here, and nothing has happened yet. What
 * follows at once is written down as begun with it, so that clients wait for one write of the journal and no more. Once
 * it is on its way no limit cuts it short: a write that is given up may be there all the same, and then nobody may undo
 * it.
 */
export async function commit(c: Context, operation: Operation, track: Span[]): Promise<void> {
  c.renewal.limit(c.environment.limits.switchover);
  const [next = []] = groups(operation.complete);
  await c.ledger.write((journal) => ({
    ...(operation.commit?.(withEnded(journal, track), c) ?? withEnded(journal, track)),
    state: pathOf(operation).to,
    operation: { ...current(journal), phase: 'complete', steps: next.map(begun) },
  }));
  track.length = 0;
}

export async function completeOperation(c: Context, operation: Operation, track: Span[]): Promise<void> {
  for (const group of groups(remaining(c, operation.complete))) {
    await announce(c, group, track);
    for (const step of group) {
      c.lost.throwIfAborted();
      await forward(c, operation, step, track);
    }
  }
  await c.ledger.write((journal) => ({ ...withEnded(journal, track), operation: null }));
}

/**
 * Milliseconds for a step behind the commit point that nobody waits for: storage takes minutes to give something back.
 */
const unheldLimit = 900_000;

/**
 * Behind the commit point there is no way back, so a step that hangs (a connection half open, a stuck backend) is
 * repeated, once, with connections of its own. Where that hangs too the operator ends: nothing is renewed any more, and
 * the next recovery goes on.
 */
async function forward(c: Context, operation: Operation, step: Step, track: Span[]): Promise<void> {
  const limit = step.limit?.(c) ?? (step.held ? c.environment.limits.switchover : unheldLimit);
  const attempt = (): Promise<void> => {
    c.renewal.limit(limit);
    return within(limit, step, runStep(c, operation, step, track));
  };
  await attempt().catch(async (error: unknown) => {
    if (!(error instanceof VerdigrisError && error.id === 'step-limit')) throw error;
    c.emit({ type: 'note', text: `${step.title}: no end after ${limit} ms; once more, with new connections` });
    c.cutConnections();
    await attempt();
  });
}
