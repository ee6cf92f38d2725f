import type { Colour } from '../../model/colours.ts';
import { isWalking, taken } from '../../model/delivery-record.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Journal, Span } from '../../model/journal.ts';
import type { Context } from './context.ts';
import { completeOperation, start } from './forward.ts';
import { passGates, requireState } from './gates.ts';
import type { Operation } from './operation.ts';
import { now } from './steps.ts';
import { settleOperation } from './undo.ts';

/** Runs an operation from its gates to its end. On failure before the commit point everything is undone. */
export async function execute(c: Context, operation: Operation): Promise<void> {
  requireState(c, operation);
  await operation.ready?.(c);
  c.shown = await passGates(c, operation);
  const { verb, kind, way } = operation;
  await c.ledger.write((journal) => ({
    ...journal,
    ...takenOver(c, verb),
    acts: [
      ...(journal.acts ?? []),
      { verb, at: now(), by: c.operator, ...(c.reason === undefined ? {} : { reason: c.reason }) },
    ],
    operation: {
      verb,
      ...(kind ? { kind } : {}),
      ...(way ? { way } : {}),
      phase: 'start',
      startedAt: now(),
      steps: [],
    },
  }));
  await resumeOperation(c, operation);
}

/**
 * A person's verb while the release walks by itself: written with its beginning, so that nothing is done against it at
 * any moment.
 */
function takenOver({ journal: { delivery }, walks, drills, operator }: Context, verb: string): Partial<Journal> {
  return walks || drills || !isWalking(delivery) ? {} : { delivery: taken(delivery, operator, verb) };
}

/** Goes on with the operation in the journal, in `start` or in `complete`. */
export async function resumeOperation(c: Context, operation: Operation): Promise<void> {
  const track: Span[] = [];
  try {
    // After a crash behind the commit point no connection is kept: what clients wait for must not wait for the colour
    // that is no longer live.
    if (c.journal.operation?.phase === 'complete') return await completeOperation(c, operation, track);
    await keepingInEach(c.each, operation.keep?.(c) ?? [], async () => {
      await start(c, operation, track);
      await completeOperation(c, operation, track);
    });
  } catch (error) {
    c.renewal.stop();
    c.cutConnections();
    await settleFailure(c, operation, track, error);
  }
}

/** Undoes what can be undone and throws, with its cause, what failed; returns where it went forward all the same. */
async function settleFailure(c: Context, operation: Operation, track: Span[], failure: unknown): Promise<void> {
  const causeOf = async (error: unknown): Promise<unknown> => operation.causeOf?.(c, error) ?? error;
  if (c.journal.operation?.phase !== 'start') throw await causeOf(failure);
  // Undoing takes away what a cause is known by; clients who wait are let go first.
  const waiting = operation.start.some(({ id, held }) => held && isBegun(c, id));
  const error = waiting ? failure : await causeOf(failure);
  if (!(await settled(c, operation, track, error))) throw waiting ? await causeOf(error) : error;
}

function isBegun({ journal: { operation } }: Context, step: string): boolean {
  return operation?.steps.some(({ id }) => id === step) === true;
}

/** While clients wait no step connects, in whichever database it works. */
async function keepingInEach(
  each: readonly Context[],
  colours: readonly Colour[],
  use: () => Promise<void>,
): Promise<void> {
  const [inside, ...rest] = each;
  return inside ? inside.keeping(colours, () => keepingInEach(rest, colours, use)) : use();
}

/** After a failure in this process. True where it went forward all the same; throws what prevented the settling. */
async function settled(c: Context, operation: Operation, track: Span[], error: unknown): Promise<boolean> {
  // Somebody else holds the lease: what there is to undo is theirs.
  if (error instanceof VerdigrisError && error.code === 'busy') return false;
  try {
    return (await settleOperation(c, operation, track)) === 'forward';
  } catch (failure) {
    if (failure instanceof VerdigrisError && failure.code === 'busy') throw failure;
    // Behind the commit point there is nothing to undo: what failed is repeated.
    if (c.journal.operation?.phase === 'complete') throw failure;
    throw new VerdigrisError('undo-failed', {
      seen: `${operation.verb} failed (${describe(error)}), and undoing it failed too (${describe(failure)}).`,
      required: 'both to be settled first.',
      next: 'fix the cause and run the same command again: it continues undoing.',
      cause: new AggregateError([error, failure]),
    });
  }
}
