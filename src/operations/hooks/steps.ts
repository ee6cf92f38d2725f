import prettyMs from 'pretty-ms';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { stepOf, verbOf, type Hook, type HookMoment } from '../../model/hooks.ts';
import type { Context } from '../engine/context.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { deliverOnce, insist } from './deliver.ts';
import { eventOf } from './event.ts';
import { deliverEarlier, keepForLater, keepThread } from './outbox.ts';

type Named = readonly [name: string, hook: Hook];

/**
 * The operation with its hooks as steps of it: what the journal does for steps it does for them. One that was cut short
 * is delivered again with the same id; one after the commit point is never lost.
 */
export function withHooks(operation: Operation, hooks: Readonly<Record<string, Hook>> = {}): Operation {
  const all = Object.entries(hooks).filter(([, { before, after }]) =>
    [...before, ...after].some((at) => verbOf(at) === operation.verb),
  );
  if (all.length === 0) return operation;
  const { verb, start, complete } = operation;
  return {
    ...operation,
    start: [...calls(all, 'before', verb), ...around(start, all, verb)],
    complete: [...around(complete, all, verb), ...calls(all, 'after', verb)],
  };
}

function around(steps: readonly Step[], hooks: readonly Named[], verb: string): Step[] {
  return steps.flatMap((step) => [
    ...calls(hooks, 'before', verb, step.id),
    step,
    ...calls(hooks, 'after', verb, step.id),
  ]);
}

function calls(hooks: readonly Named[], moment: 'before' | 'after', verb: string, step?: string): Step[] {
  const at = step === undefined ? verb : `${verb}/${step}`;
  return hooks.filter(([, hook]) => hook[moment].includes(at)).map((named) => call(named, moment, verb, step));
}

function call([name, hook]: Named, moment: 'before' | 'after', verb: string, step: string | undefined): Step {
  const at = step === undefined ? verb : `${verb}/${step}`;
  return {
    id: `hook-${name}-${moment}-${at.replace('/', '-')}`,
    title: `hook ${name} ${moment} ${at}`,
    why: 'the declaration asks for it',
    risk: hook.blocking ? 'it may refuse; clients are served meanwhile' : 'none: what it answers stops nothing',
    async run(c) {
      const event = eventOf(c.journal, name, moment, { verb, step, attempt: c.journal.operation?.startedAt ?? '' });
      const blocks = hook.blocking && moment === 'before';
      // A question cannot wait for an answer to something else.
      if (!(await deliverEarlier(c, name, hook, event)) && !blocks) {
        await keepForLater(c, name, event);
        return 'unanswered: it comes after what was not answered before';
      }
      // What cannot refuse may be behind the commit point, where a wish to stop comes too late: only the loss of the
      // lease ends it.
      const known = c.journal.threads?.[name];
      const outcome = await (blocks ? insist(c, known, hook, event) : deliverOnce(c, known, hook, event, c.lost));
      if (outcome.kind === 'done') return keepThread(c.ledger, name, event, outcome.thread);
      if (blocks) throw blocked(name, at, hook, outcome);
      if (outcome.kind === 'unanswered') await keepForLater(c, name, event);
      return `${outcome.kind}: ${outcome.why}`;
    },
  };
}

function blocked(
  name: string,
  at: string,
  { limit }: Hook,
  outcome: { readonly kind: string; readonly why: string },
): VerdigrisError {
  const refused = outcome.kind === 'refused';
  return new VerdigrisError(refused ? 'hook-refused' : 'hook-unanswered', {
    seen: `The hook ${name}, before ${at}, ${refused ? 'refused' : `did not consent within ${prettyMs(limit)}`}: ${outcome.why}.`,
    required: 'its consent: it is declared as blocking.',
    next: refused
      ? 'see to what it says, then run the same command again; nothing was changed.'
      : 'see that it answers, or take `blocking` out of the declaration, then run the same command again; nothing was changed.',
    facts: { hook: name, at, why: outcome.why },
  });
}

/**
 * Throws `hook-misplaced` where a hook is at a step that the verb does not have, or is to block behind the commit
 * point. Asked before the verb begins and never in a recovery. Of a lossy rollback nothing is asked: its steps are
 * others, and it is for an emergency.
 */
export function requirePlaces(
  { verb, kind, start, complete }: Operation,
  hooks: Readonly<Record<string, Hook>> = {},
): void {
  if (kind === 'lossy') return;
  for (const [name, hook] of Object.entries(hooks))
    for (const at of [...hook.before, ...hook.after]) {
      const step = stepOf(at);
      if (verbOf(at) !== verb || step === undefined || start.some(({ id }) => id === step)) continue;
      if (!complete.some(({ id }) => id === step))
        throw misplaced(
          name,
          at,
          `${verb} has no step ${step}`,
          `one of ${[...start, ...complete].map(({ id }) => id).join(', ')}`,
        );
      if (hook.blocking && hook.before.includes(at))
        throw misplaced(
          name,
          at,
          'it is blocking, and behind the commit point nothing can refuse any more',
          'a step before the hold',
        );
    }
}

function misplaced(name: string, at: string, seen: string, required: string): VerdigrisError {
  return new VerdigrisError('hook-misplaced', {
    seen: `The hook ${name} is declared at ${at}: ${seen}.`,
    required: `${required}.`,
    next: 'fix it in the declaration; nothing was done.',
    facts: { hook: name, at },
  });
}

/** Tells of a failure those that asked for it; what goes wrong with that hides nothing. */
export async function reportFailure(c: Context, verb: string, attempt: string, error: unknown): Promise<void> {
  const known = error instanceof VerdigrisError ? error : undefined;
  const facts = {
    id: known?.id ?? 'unexpected',
    seen: known?.seen ?? describe(error),
    next: known?.next ?? 'run `verdigris status`.',
  };
  const moment: HookMoment = 'failed';
  for (const [name, hook] of Object.entries(c.environment.hooks ?? {})) {
    if (!hook.failed.some((each) => each === verb)) continue;
    const event = eventOf(c.journal, name, moment, { verb, attempt }, facts);
    await keepForLater(c, name, event).catch(() => undefined);
  }
}
