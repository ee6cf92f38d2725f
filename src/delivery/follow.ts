import { setTimeout as sleep } from 'node:timers/promises';
import { describe, VerdigrisError } from '../model/errors.ts';
import { act, readKnown, type DeliveryParts } from './act.ts';
import { decide } from './decide.ts';
import { approveAnnotated } from './persons.ts';

export interface FollowOptions {
  /** Ends where the release has to wait for anything. */
  readonly once?: boolean | undefined;
  /** Goes on where only a person can, and with the next release: it ends by its signal alone. */
  readonly forever?: boolean | undefined;
  /** Whether the declaration is another one by now: then it ends, to be begun with that. */
  readonly changed?: (() => Promise<boolean>) | undefined;
}

/** Milliseconds between two looks: what a person did is seen so late. */
const poll = 1_000;
/** Milliseconds after what cannot be done now: somebody else is at work, or something is away. */
const pause = 2_000;

/**
 * Walks the declared steps. It keeps nothing of its own: killed at any point, or twice at once, the journal decides
 * what is done.
 * @throws VerdigrisError `delivery-waits` where a person is needed, `delivery-stopped` where the release was given up
 * by itself.
 */
export async function follow(
  parts: DeliveryParts,
  { once, forever, changed }: FollowOptions,
): Promise<'ended' | 'changed'> {
  requireSteps(parts);
  let said = '';
  const say = (text: string): void => {
    if (text !== said) parts.emit({ type: 'note', text });
    said = text;
  };
  for (;;) {
    parts.signal.throwIfAborted();
    const known = await readKnown(parts);
    const decision = decide(known);
    if (decision.do === 'rest') {
      say(decision.why);
      if (!forever) {
        requireGood(known.journal.delivery?.ended, decision.why);
        return 'ended';
      }
    } else if (decision.do === 'wait') {
      say(decision.why);
      const { delivery } = known.journal;
      if (delivery && !delivery.taken && !delivery.ended && delivery.waits !== decision.why)
        await attempt(parts, () => act(parts, known, decision));
      if (decision.approval && (await annotated(parts, say))) continue;
      if (once && !decision.person) return 'ended';
      if (decision.person && !forever) throw waits(decision.why);
    } else {
      if (!(await attempt(parts, () => act(parts, known, decision)))) await rest(pause, parts.signal);
      continue;
    }
    await rest(poll, parts.signal);
    if (await changed?.()) return 'changed';
  }
}

/** True where the release was approved by what is written on its objects. */
async function annotated(parts: DeliveryParts, say: (text: string) => void): Promise<boolean> {
  let done = false;
  await attempt(parts, async () => {
    const answer = await approveAnnotated(parts);
    done = answer === 'approved';
    if (answer !== undefined && !done) say(answer);
  });
  return done;
}

/**
 * False where it was not done: another operator is at work, or a server is away. What only a person can change ends it.
 */
async function attempt(parts: DeliveryParts, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (parts.signal.aborted || (error instanceof VerdigrisError && !['busy', 'failed'].includes(error.code)))
      throw error;
    // Somebody else at work is no news: two controllers take turns all the time.
    if (!(error instanceof VerdigrisError && error.code === 'busy'))
      parts.emit({ type: 'note', text: `not now: ${describe(error)}` });
    return false;
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

export function requireSteps({ environment }: Pick<DeliveryParts, 'environment'>): void {
  if (environment.delivery.steps.length > 0) return;
  throw new VerdigrisError('no-delivery-steps', {
    seen: `${environment.name} declares no steps that a release could follow by itself.`,
    required: '`delivery.steps` in the declaration.',
    next: 'declare them (docs/delivery.md), or run `verdigris release` without --follow.',
  });
}

function requireGood(ended: { readonly outcome: string } | undefined, why: string): void {
  if (!ended || ended.outcome === 'released') return;
  throw new VerdigrisError('delivery-stopped', {
    seen: `The ${why}.`,
    required: 'a release that passes its steps.',
    next: 'fix the release and declare it again; or `verdigris resume` to begin the same one again.',
  });
}

function waits(why: string): VerdigrisError {
  return new VerdigrisError('delivery-waits', {
    seen: `The release waits: ${why.replace(/\.$/, '')}.`,
    required: 'a decision by a person.',
    next: 'see `verdigris status`; then `verdigris resume`, or `verdigris abandon` before the switchover and `verdigris rollback` after it.',
  });
}
