import { describe, VerdigrisError } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { Journal, OperationRecord, Span } from '../model/journal.ts';
import type { Context } from './context.ts';
import type { Operation, Step } from './operation.ts';

/** Runs an operation from its gates to its end. On failure before the commit point everything is undone. */
export async function execute(c: Context, operation: Operation): Promise<void> {
  requireState(c, operation);
  await passGates(c, operation);
  const { verb, kind } = operation;
  await c.ledger.write((journal) => ({
    ...journal,
    operation: { verb, ...(kind ? { kind } : {}), phase: 'start', startedAt: now(), steps: [] },
  }));
  await resume(c, operation);
}

/** Goes on with the operation in the journal, in `start` or in `complete`. */
export async function resume(c: Context, operation: Operation): Promise<void> {
  // After a crash behind the commit point no connection is kept: what clients wait for must not wait for the colour that is no longer live.
  if (c.journal.operation?.phase === 'complete') return complete(c, operation);
  try {
    await c.keeping(operation.keep?.(c) ?? [], async () => {
      await start(c, operation);
      await complete(c, operation);
    });
  } catch (error) {
    c.stopRenewing();
    if (c.journal.operation?.phase !== 'start') throw error;
    await c.dropKept();
    throw await reverted(c, operation, error);
  }
}

async function start(c: Context, operation: Operation): Promise<void> {
  const { limit } = operation;
  const deadline = new Deadline();
  try {
    for (const step of remaining(c, operation.start)) {
      c.signal.throwIfAborted();
      if (limit?.from === step.id) deadline.arm(limit.ms(c), operation.verb);
      await deadline.race(run(c, operation, step));
    }
    // The commit point: a single compare-and-swap. Whoever lost the lease fails here, and nothing has happened yet. Once it is on its
    // way no limit cuts it short: a write that is given up may stand all the same, and nobody may undo what it commits to.
    await c.ledger.write((journal) => ({ ...operation.commit(closed(journal), c), operation: { ...current(journal), phase: 'complete', steps: [] } }));
  } finally {
    deadline.disarm();
  }
}

/** Steps that the journal does not call ended: after a crash the one that was under way is repeated, those before it are not. */
function remaining(c: Context, steps: readonly Step[]): Step[] {
  const ended = new Set(current(c.journal).steps.filter((step) => step.endedAt !== undefined).map((step) => step.id));
  return steps.filter((step) => !ended.has(step.id));
}

async function complete(c: Context, operation: Operation): Promise<void> {
  for (const step of remaining(c, operation.complete)) await run(c, operation, step);
  await c.ledger.write((journal) => ({ ...closed(journal), operation: null }));
}

/** Undoes what `start` did, newest first, and closes the operation. Safe to run again. */
export async function revert(c: Context, operation: Operation): Promise<void> {
  const begun = new Set(current(c.journal).steps.map((step) => step.id));
  if (current(c.journal).phase !== 'revert') await c.ledger.write((journal) => ({ ...closed(journal, 'failed'), operation: { ...current(journal), phase: 'revert' } }));
  for (const step of operation.start.toReversed()) {
    if (!begun.has(step.id) || !step.undo) continue;
    const startedAt = Date.now();
    await step.undo(c);
    c.emit({ type: 'step', verb: operation.verb, step: step.id, title: step.title, status: 'undone', ms: Date.now() - startedAt });
  }
  await c.ledger.write((journal) => ({ ...journal, operation: null }));
}

async function reverted(c: Context, operation: Operation, error: unknown): Promise<unknown> {
  // Somebody else holds the lease: what there is to undo is theirs.
  if (error instanceof VerdigrisError && error.code === 'busy') return error;
  try {
    await revert(c, operation);
    return error;
  } catch (failure) {
    return new VerdigrisError('failed', 'undo-failed', {
      seen: `${operation.verb} failed (${describe(error)}), and undoing it failed too (${describe(failure)}).`,
      required: 'both to be settled before anything else is done.',
      next: 'mend the cause and run the same command again: it continues undoing.',
      cause: new AggregateError([error, failure]),
    });
  }
}

async function run(c: Context, operation: Operation, step: Step): Promise<void> {
  const { verb } = operation;
  const begun = Date.now();
  // One write says that the step before ended and that this one begins.
  await c.ledger.write((journal) => {
    const ended = closed(journal);
    const record = current(ended);
    return { ...ended, operation: { ...record, steps: [...record.steps.filter(({ id }) => id !== step.id), { id: step.id, startedAt: now() }] } };
  });
  c.emit({ type: 'step', verb, step: step.id, title: step.title, status: 'started' });
  try {
    const detail = await step.run(c);
    c.emit({ type: 'step', verb, step: step.id, title: step.title, status: 'done', ms: Date.now() - begun, detail: detail ?? undefined });
  } catch (error) {
    c.emit({ type: 'step', verb, step: step.id, title: step.title, status: 'failed', ms: Date.now() - begun, detail: describe(error) });
    throw error;
  }
}

/** Marks the last step as ended and puts it on the timeline. */
function closed(journal: Journal, outcome: Span['outcome'] = 'done'): Journal {
  const { operation } = journal;
  const last = operation?.steps.at(-1);
  if (!operation || !last || last.endedAt !== undefined) return journal;
  const endedAt = now();
  return {
    ...journal,
    operation: { ...operation, steps: [...operation.steps.slice(0, -1), { ...last, endedAt }] },
    timeline: [...journal.timeline, { verb: operation.verb, step: last.id, startedAt: last.startedAt, endedAt, outcome }],
  };
}

function current(journal: Journal): OperationRecord {
  if (!journal.operation) throw new Error('no operation is open in the journal');
  return journal.operation;
}

/** Throws `wrong-state` where the verb has no edge from the state that is. */
export function requireState(c: Context, operation: Operation): void {
  const { state } = c.journal;
  if (operation.from.includes(state)) return;
  throw new VerdigrisError('refused', 'wrong-state', {
    seen: `The environment ${c.environment.name} is ${state}.`,
    required: `${operation.from.join(' or ')}, to ${operation.verb}.`,
    next: 'see `verdigris status` for what is possible now.',
    facts: { state, verb: operation.verb },
  });
}

/** Runs the gates, says every finding, and throws where one refuses. */
export async function passGates(c: Context, operation: Operation): Promise<Finding[]> {
  const findings = await operation.validate(c);
  // What is merely told is told once, where a release begins.
  for (const finding of findings) if (finding.grade !== 'info' || operation.verb === 'seed') c.emit({ type: 'finding', gate: operation.verb, finding });
  const refused = findings.filter((finding) => finding.grade === 'refuse');
  if (refused.length === 0) return findings;
  throw new VerdigrisError('refused', 'gate-refused', {
    seen: `${operation.verb} is refused for ${refused.length === 1 ? 'one reason' : `${refused.length} reasons`}:\n${refused.map((finding) => `  ${finding.id}: ${finding.title}${finding.objects.length > 0 ? ` (${finding.objects.join(', ')})` : ''}`).join('\n')}\n`,
    required: 'no finding graded refuse.',
    next: refused.map((finding) => finding.mend).join(' '),
    facts: { findings: refused },
  });
}

class Deadline {
  #timer: NodeJS.Timeout | undefined;
  #passed: Promise<never> | undefined;

  arm(ms: number, verb: string): void {
    this.#passed = new Promise((_, reject) => {
      this.#timer = setTimeout(() => reject(new VerdigrisError('failed', 'switchover-limit', {
        seen: `${verb} did not reach its commit point within ${ms} ms of holding the clients.`,
        required: 'the limit limits.switchover.',
        next: 'nothing moved; see which step took the time (`verdigris history`), then try again.',
      })), ms);
    });
    this.#passed.catch(() => undefined);
  }

  async race<T>(work: Promise<T>): Promise<T> {
    return this.#passed ? Promise.race([work, this.#passed]) : work;
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }
}

function now(): string {
  return new Date().toISOString();
}
