import type { Colour } from '../../model/colours.ts';
import { isWalking, taken } from '../../model/delivery-record.ts';
import { pathOf } from '../../model/transitions.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Journal, OperationRecord, Span } from '../../model/journal.ts';
import type { Context } from './context.ts';
import { Deadline, within } from './deadline.ts';
import { passGates, requireState } from './gates.ts';
import type { Operation, Step } from './operation.ts';

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
    if (c.journal.operation?.phase === 'complete') return await complete(c, operation, track);
    await keepingInEach(c.each, operation.keep?.(c) ?? [], async () => {
      await start(c, operation, track);
      await complete(c, operation, track);
    });
  } catch (error) {
    c.stopRenewing();
    c.cutConnections();
    if (c.journal.operation?.phase !== 'start') throw error;
    if (!(await settled(c, operation, track, error))) throw error;
  }
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

async function start(c: Context, operation: Operation, track: Span[]): Promise<void> {
  const { limit } = operation;
  const deadline = new Deadline();
  try {
    for (const group of groups(remaining(c, operation.start))) {
      await begin(c, group, track);
      for (const step of group) {
        c.signal.throwIfAborted();
        if (limit?.from === step.id) deadline.arm(limit.ms(c), operation.verb);
        await deadline.race(run(c, operation, step, track));
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
 * it is on its way no limit cuts it short: a write that is given up may stand all the same, and then nobody may undo
 * it.
 */
async function commit(c: Context, operation: Operation, track: Span[]): Promise<void> {
  c.renewFor(c.environment.limits.switchover);
  const [next = []] = groups(operation.complete);
  await c.ledger.write((journal) => ({
    ...(operation.commit?.(ended(journal, track), c) ?? ended(journal, track)),
    state: pathOf(operation).to,
    operation: { ...current(journal), phase: 'complete', steps: next.map(begun) },
  }));
  track.length = 0;
}

async function complete(c: Context, operation: Operation, track: Span[]): Promise<void> {
  for (const group of groups(remaining(c, operation.complete))) {
    await begin(c, group, track);
    for (const step of group) {
      c.lost.throwIfAborted();
      await forward(c, operation, step, track);
    }
  }
  await c.ledger.write((journal) => ({ ...ended(journal, track), operation: null }));
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
    c.renewFor(limit);
    return within(limit, step, run(c, operation, step, track));
  };
  await attempt().catch(async (error: unknown) => {
    if (!(error instanceof VerdigrisError && error.id === 'step-limit')) throw error;
    c.emit({ type: 'note', text: `${step.title}: no end after ${limit} ms; once more, with new connections` });
    c.cutConnections();
    await attempt();
  });
}

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
    await complete(c, operation, track);
    return 'forward';
  }
  await revert(c, operation, track);
  return 'reverted';
}

/** Milliseconds for undoing a step while clients wait: a live colour that crashed has to be started. */
const undoLimit = 90_000;

/** Undoes what `start` did, newest first, and closes the operation. Safe to run again. */
export async function revert(c: Context, operation: Operation, track: Span[] = []): Promise<void> {
  const touched = new Set(current(c.journal).steps.map((step) => step.id));
  if (current(c.journal).phase !== 'revert') {
    await c.ledger.write((journal) => {
      const known = ended(journal, track);
      return { ...known, operation: { ...current(known), phase: 'revert' } };
    });
  }
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

/**
 * Steps that the journal does not call ended: after a crash the one that was under way is repeated, those before it are
 * not.
 */
function remaining(c: Context, steps: readonly Step[]): Step[] {
  const done = new Set(
    current(c.journal)
      .steps.filter((step) => step.endedAt !== undefined)
      .map((step) => step.id),
  );
  return steps.filter((step) => !done.has(step.id));
}

/**
 * Steps that one write of the journal announces. While clients are held that is all of them together: undoing or
 * repeating a step that was announced and never run does no harm, and a write for each would be most of the write
 * pause.
 */
function groups(steps: readonly Step[]): Step[][] {
  const found: Step[][] = [];
  for (const step of steps) {
    const last = found.at(-1);
    if (step.held && last?.[0]?.held) last.push(step);
    else found.push([step]);
  }
  return found;
}

/** Writes down what has ended and what begins, unless the journal says so already. */
async function begin(c: Context, group: readonly Step[], track: Span[]): Promise<void> {
  const known = new Set(current(c.journal).steps.map(({ id }) => id));
  if (group.every(({ id }) => known.has(id))) return;
  const ids = new Set(group.map(({ id }) => id));
  await c.ledger.write((journal) => {
    const past = ended(journal, track);
    const record = current(past);
    return {
      ...past,
      operation: { ...record, steps: [...record.steps.filter(({ id }) => !ids.has(id)), ...group.map(begun)] },
    };
  });
  track.length = 0;
}

function begun({ id }: Step): OperationRecord['steps'][number] {
  return { id, startedAt: now() };
}

async function run(c: Context, operation: Operation, step: Step, track: Span[]): Promise<void> {
  const { verb } = operation;
  const startedAt = now();
  const from = performance.now();
  const note = (status: 'done' | 'failed', outcome: Span['outcome'], detail: string | undefined): void => {
    track.push({ verb, step: step.id, startedAt, endedAt: now(), outcome });
    c.emit({
      type: 'step',
      verb,
      step: step.id,
      title: step.title,
      status,
      ms: Math.round(performance.now() - from),
      detail,
    });
  };
  c.emit({ type: 'step', verb, step: step.id, title: step.title, status: 'started' });
  try {
    note('done', 'done', (await step.run(c)) ?? undefined);
  } catch (error) {
    note('failed', 'failed', describe(error));
    throw error;
  }
}

/** The journal with the steps in `track` marked as ended and put on the timeline. */
function ended(journal: Journal, track: readonly Span[]): Journal {
  const { operation } = journal;
  if (!operation) return journal;
  const at = new Map(track.filter(({ outcome }) => outcome === 'done').map(({ step, endedAt }) => [step, endedAt]));
  const steps = operation.steps.map((step) =>
    at.has(step.id) ? { ...step, endedAt: at.get(step.id) as string } : step,
  );
  return { ...journal, operation: { ...operation, steps }, timeline: [...journal.timeline, ...track] };
}

function current(journal: Journal): OperationRecord {
  if (!journal.operation) throw new Error('no operation is open in the journal');
  return journal.operation;
}

function now(): string {
  return new Date().toISOString();
}
