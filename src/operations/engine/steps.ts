import { describe } from '../../model/errors.ts';
import type { Journal, OperationRecord, Span } from '../../model/journal.ts';
import type { Context } from './context.ts';
import type { Operation, Step } from './operation.ts';
import { byItsServer } from './server-failure.ts';

/**
 * Steps that the journal does not call ended: after a crash the one that was under way is repeated, those before it are
 * not.
 */
export function remaining(c: Context, steps: readonly Step[]): Step[] {
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
export function groups(steps: readonly Step[]): Step[][] {
  const found: Step[][] = [];
  for (const step of steps) {
    const last = found.at(-1);
    if (step.held && last?.[0]?.held) last.push(step);
    else found.push([step]);
  }
  return found;
}

/** Writes down what has ended and what begins, unless the journal says so already. */
export async function announce(c: Context, group: readonly Step[], track: Span[]): Promise<void> {
  const known = new Set(current(c.journal).steps.map(({ id }) => id));
  if (group.every(({ id }) => known.has(id))) return;
  const ids = new Set(group.map(({ id }) => id));
  await c.ledger.write((journal) => {
    const past = withEnded(journal, track);
    const record = current(past);
    return {
      ...past,
      operation: { ...record, steps: [...record.steps.filter(({ id }) => !ids.has(id)), ...group.map(begun)] },
    };
  });
  track.length = 0;
}

export function begun({ id }: Step): OperationRecord['steps'][number] {
  return { id, startedAt: now() };
}

export async function runStep(c: Context, operation: Operation, step: Step, track: Span[]): Promise<void> {
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
  } catch (cause) {
    const error = await byItsServer(c.platform.servers, [c.live, c.idle], cause);
    note('failed', 'failed', describe(error));
    throw error;
  }
}

/** The journal with the steps in `track` marked as ended and put on the timeline. */
export function withEnded(journal: Journal, track: readonly Span[]): Journal {
  const { operation } = journal;
  if (!operation) return journal;
  const at = new Map(track.filter(({ outcome }) => outcome === 'done').map(({ step, endedAt }) => [step, endedAt]));
  const steps = operation.steps.map((step) =>
    at.has(step.id) ? { ...step, endedAt: at.get(step.id) as string } : step,
  );
  return { ...journal, operation: { ...operation, steps }, timeline: [...journal.timeline, ...track] };
}

export function current(journal: Journal): OperationRecord {
  if (!journal.operation) throw new Error('no operation is open in the journal');
  return journal.operation;
}

export function now(): string {
  return new Date().toISOString();
}
