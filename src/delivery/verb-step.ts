import { moment } from '../model/when.ts';
import type { Colour } from '../model/colours.ts';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery-step.ts';
import { defaultRetention } from '../model/environment.ts';
import type { Journal } from '../model/journal.ts';
import type { Verb } from '../model/transitions.ts';
import { forPerson, iso, wait, type Decision, type Failed, type Known, type Passed } from './decision.ts';
import { entryState, reached } from './record.ts';
import { clockText, nextOpening, openSpan } from './windows.ts';

/** Milliseconds that the next attempt after a refusal waits at most. */
export const longestRetryPause = 300_000;

/** Between two attempts. One that is further ahead than any wait was written before the clock was set back. */
export function notYet({ step: { again, error } }: DeliveryRecord, verb: Verb, now: number): Decision | undefined {
  const until = again === undefined ? now : Date.parse(again);
  if (until <= now || until - now > longestRetryPause) return undefined;
  return { do: 'wait', why: `${verb} was refused: ${error ?? ''}`, until, person: false };
}

export function verbStep(
  known: Known,
  record: DeliveryRecord,
  step: DeliveryStep,
  kind: Verb,
  late: boolean,
  passed: Passed,
  failed: Failed,
): Decision {
  const { journal, environment, now } = known;
  if (isDone(journal, step, record.candidate)) return passed(`${step.text} is done`);
  const wanted = entryState(environment.delivery.steps, record.step.index);
  if (journal.state !== wanted && !(kind === 'canary' && journal.state === 'canary'))
    return forPerson(
      `${kind} follows ${wanted}, and the environment is ${journal.state}. \`verdigris resume\` continues from there`,
    );
  const { failingSince, error } = record.step;
  const windowed = kind === 'switch' || kind === 'retire';
  const open = windowed ? openSpan(environment.delivery, now) : always;
  // While a window is closed nobody is refused.
  if (open && failingSince !== undefined && now - Math.max(Date.parse(failingSince), open.from) >= step.limit)
    return failed(error ?? 'its limit has passed');
  if (kind === 'switch' && environment.live !== record.candidate)
    return forPerson(`the declaration says live: ${environment.live}. The switchover wants live: ${record.candidate}`);
  if (kind === 'retire') {
    const kept = Math.max(step.ms ?? 0, environment.retention.retained ?? defaultRetention);
    const from = Date.parse(journal.release?.switchedAt ?? record.step.since) + kept;
    if (now < from) return wait(known, `${step.text}: not before ${moment(iso(from))}`, from);
  }
  if (!open) {
    const opens = nextOpening(environment.delivery, now);
    if (opens === undefined) return forPerson('no window opens within a year');
    return wait(known, `${kind} waits for a window: ${clockText(environment.delivery, opens)}`, opens);
  }
  if (retried.includes(kind))
    return (
      notYet(record, kind, now) ?? {
        do: 'verb',
        verb: kind,
        ...(step.weight === undefined ? {} : { weight: step.weight }),
        // One that was asleep meanwhile, in the midst of the verb, does not go on outside of its window.
        ...(open && Number.isFinite(open.to)
          ? { limit: { ms: open.to - now, why: 'its window closed before it was done' } }
          : {}),
      }
    );
  if (late) return failed('its time limit has passed');
  return {
    do: 'verb',
    verb: kind,
    limit: { ms: Date.parse(record.step.since) + step.limit - now, why: 'no end within its time limit' },
  };
}

/** Of what waits for no window. */
const always = { from: -Infinity, to: Infinity };

/** What depends on what clients do at the moment, so that a refusal may pass. */
export const retried: readonly Verb[] = ['canary', 'switch', 'retire'];

function isDone({ state, live, release }: Journal, { kind, weight }: DeliveryStep, candidate: Colour): boolean {
  if (state !== reached[kind]) return false;
  if (kind === 'canary') return release?.canary === weight;
  return kind === 'switch' ? live === candidate : kind !== 'retire';
}
