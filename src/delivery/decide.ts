import { other, type Colour } from '../model/colours.ts';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery.ts';
import { defaultRetention, type Environment } from '../model/environment.ts';
import type { Journal } from '../model/journal.ts';
import type { Verb } from '../model/transitions.ts';
import { begin, entryState, next, placeFor, reached } from './record.ts';
import { due, overall, talliesText, watched, type Metrics } from './tallies.ts';
import type { Digests } from './target.ts';
import { clockText, nextOpening } from './windows.ts';

/**
 * What a controller does now. Computed of the journal, the declaration and the clock alone, so that another one
 * computes the same.
 */
export type Decision =
  /** Nothing is under way, and nothing is to be begun. */
  | { readonly do: 'rest'; readonly why: string }
  /** `person`: only somebody's act changes that; else `until` comes. */
  | { readonly do: 'wait'; readonly why: string; readonly until?: number; readonly person: boolean }
  | { readonly do: 'verb'; readonly verb: Verb; readonly weight?: number; readonly limit?: number }
  /**
   * A verb is open in the journal: another controller is at it, or it was cut short, and then the lease's taker settles
   * it.
   */
  | { readonly do: 'settle' }
  /** Take the readers back from the candidate. */
  | { readonly do: 'withdraw' }
  | { readonly do: 'measure'; readonly names: readonly string[] }
  | { readonly do: 'write'; readonly record: DeliveryRecord; readonly note: string };

export interface Known {
  readonly environment: Environment;
  readonly journal: Journal;
  readonly digests: Digests;
  /** Of the step that is under way. */
  readonly metrics: Metrics;
  readonly now: number;
}

/** Milliseconds within which an environment is rolled back by itself at most once, whatever the release. */
export const rollbackEvery = 3_600_000;
/** How often a rollback that is refused is tried again before a person has to look. */
export const rollbackAttempts = 5;

export function decide(known: Known): Decision {
  const { journal, digests } = known;
  const record = journal.delivery;
  if (journal.release?.drill)
    return wait(
      known,
      'a drill is under way. Where none runs any more, `verdigris abandon` takes its candidate away',
      known.now,
    );
  if (!record || (record.ended && digests[other(journal.live)] !== record.digest)) return beginning(known);
  if (record.ended) return { do: 'rest', why: endText(record) };
  if (record.taken)
    return forPerson(
      `${record.taken.by} has taken the release over by \`${record.taken.what}\`: nothing is done by itself until \`verdigris resume\``,
    );
  if (journal.operation) return { do: 'settle' };
  if (record.stopped) return stopped(known, record, record.stopped);
  if (digests[record.candidate] !== record.digest)
    return forPerson(
      `release ${record.to} is declared with other migrations or another target than the one under way: ` +
        `declare that again, or \`verdigris abandon\` and \`verdigris resume\``,
    );
  const step = known.environment.delivery.steps[record.step.index];
  if (step?.text !== record.step.text)
    return forPerson(
      `the declared steps changed: "${record.step.text}" is not step ${record.step.index + 1} any more. \`verdigris resume\` goes on by the new ones`,
    );
  return walk(known, record, step);
}

function beginning({ environment, journal, digests, now }: Known): Decision {
  const { state, live, release, delivery: before } = journal;
  const candidate = other(live);
  const declared = environment.colours[candidate]?.release;
  const digest = digests[candidate];
  const rest = (why: string): Decision => ({ do: 'rest', why });
  if (declared === undefined || digest === undefined) return rest(`no release is declared for ${candidate}`);
  if (state === 'switched')
    return rest(`release ${journal.liveRelease} is live, and ${candidate} is retained until \`verdigris retire\``);
  if (declared === journal.liveRelease) return rest(`release ${declared} is live already`);
  if (before?.ended?.outcome === 'released' && before.from === declared)
    return rest(`${candidate} is still declared with release ${declared}, which release ${before.to} replaced`);
  if (release && release.to !== declared)
    return rest(
      `release ${release.to} is under way by hand, and ${declared} is declared: \`verdigris abandon\` comes first`,
    );
  // Its candidate carries what was declared then.
  if (state !== 'single' && before)
    return rest(`release ${before.to} left a candidate, and another is declared: \`verdigris abandon\` comes first`);
  const index = placeFor(environment.delivery.steps, state);
  const record = begin(
    { from: journal.liveRelease, to: declared, candidate, digest },
    environment.delivery.steps,
    index,
    now,
    before?.rolledBackAt,
  );
  return write(record, `release ${record.from} → ${record.to} begins with "${record.step.text}"`);
}

/** A step failed: what follows is computed of the state that is, so that it is done once whoever died in between. */
function stopped(
  { journal, now }: Known,
  record: DeliveryRecord,
  stop: NonNullable<DeliveryRecord['stopped']>,
): Decision {
  if (stop.follow === 'wait') {
    if (journal.state === 'canary' && (journal.release?.canary ?? 0) > 0) return { do: 'withdraw' };
    return forPerson(`"${stop.step}" failed: ${stop.why}`);
  }
  const verb = stop.follow;
  // The history's entry ends the record too, in one write: only a release that has made nothing yet is ended here.
  if (verb === 'abandon' && journal.state === 'single') return ended(record, 'abandoned', stop.why, now);
  if (verb === 'rollback' && journal.state !== 'switched') return ended(record, 'rolled back', stop.why, now);
  const refused = verb === 'rollback' ? rollbackRefused(record, now) : undefined;
  if (refused !== undefined) {
    const why = `${stop.why}. Not rolled back by itself: ${refused}`;
    return write({ ...record, stopped: { ...stop, follow: 'wait', why } }, why);
  }
  return notYet(record, verb, now) ?? { do: 'verb', verb };
}

/** Between two attempts. */
function notYet({ step: { again, error } }: DeliveryRecord, verb: Verb, now: number): Decision | undefined {
  const until = again === undefined ? now : Date.parse(again);
  if (until <= now) return undefined;
  return { do: 'wait', why: `${verb} was refused: ${error ?? ''}`, until, person: false };
}

function rollbackRefused(record: DeliveryRecord, now: number): string | undefined {
  if ((record.stopped?.attempts ?? 0) >= rollbackAttempts)
    return `it was refused ${rollbackAttempts} times: ${record.step.error ?? 'no reason is known'}`;
  const last = record.rolledBackAt === undefined ? undefined : Date.parse(record.rolledBackAt);
  if (last !== undefined && now - last < rollbackEvery)
    return `it was done at ${record.rolledBackAt}, less than ${rollbackEvery / 60_000} minutes ago`;
  return undefined;
}

function walk(known: Known, record: DeliveryRecord, step: DeliveryStep): Decision {
  const { environment, now } = known;
  const { steps } = environment.delivery;
  const since = Date.parse(record.step.since);
  // A clock that was set back must not make a step longer than it was declared.
  if (since > now) return write({ ...record, step: { ...record.step, since: iso(now) } }, 'the clock was set back');
  const passed = (note: string): Decision => write(next(record, steps, now), note);
  const failed = (why: string): Decision => write(fail(record, step, why, now), `"${step.text}" failed: ${why}`);
  const late = now - since > step.limit;
  switch (step.kind) {
    case 'pause':
    case 'watch': {
      const until = since + (step.ms ?? 0);
      if (step.kind === 'pause')
        return now >= until ? passed('the pause is over') : wait(known, `pause until ${iso(until)}`, until);
      return watch(known, record, step, until, passed, failed);
    }
    case 'approve':
      if (record.approvals.some((each) => each.step === record.step.index && each.digest === record.digest))
        return passed(`release ${record.to} was approved`);
      if (late) return failed(`nobody approved within its limit`);
      return { do: 'wait', why: 'waits for `verdigris approve`', until: since + step.limit, person: false };
    case 'analysis':
      return analyse(known, record, late, passed, failed);
    default:
      return verb(known, record, step, step.kind, late, passed, failed);
  }
}

type Passed = (note: string) => Decision;
type Failed = (why: string) => Decision;

function watch(
  known: Known,
  record: DeliveryRecord,
  step: DeliveryStep,
  until: number,
  passed: Passed,
  failed: Failed,
): Decision {
  const { metrics, now, journal } = known;
  if (journal.state !== 'switched') return forPerson(`${journal.live} is live, and no release is being watched`);
  const verdict = overall(metrics, record.tallies, true);
  if (verdict === 'failure') return failed(talliesText(metrics, record.tallies, ['failure']));
  if (verdict === 'inconclusive') return unclear(record, step, metrics, now);
  if (now >= until)
    return watched(metrics, record.tallies) === 'success'
      ? passed(`watched for ${step.text.slice('watch '.length)}: nothing failed`)
      : unclear(record, step, metrics, now);
  const { names, next: again } = due(metrics, record.tallies, true, now);
  if (names.length > 0) return { do: 'measure', names };
  return wait(known, `watches until ${iso(until)}`, Math.min(again, until));
}

function analyse(known: Known, record: DeliveryRecord, late: boolean, passed: Passed, failed: Failed): Decision {
  const { metrics, now, environment } = known;
  const step = environment.delivery.steps[record.step.index];
  const verdict = overall(metrics, record.tallies, false);
  if (verdict === 'failure') return failed(talliesText(metrics, record.tallies, ['failure']));
  if (verdict === 'success') return passed(`analysis of ${Object.keys(metrics).join(', ')}: nothing failed`);
  if (step && (verdict === 'inconclusive' || late)) return unclear(record, step, metrics, now);
  const { names, next: again } = due(metrics, record.tallies, false, now);
  if (names.length > 0) return { do: 'measure', names };
  return wait(known, 'measures', again);
}

/** No result is neither success nor failure: a person looks, whatever a failure would be followed by. */
function unclear(record: DeliveryRecord, step: DeliveryStep, metrics: Metrics, now: number): Decision {
  const which = talliesText(metrics, record.tallies, ['inconclusive']) || 'it did not come to an end within its time';
  const why = `inconclusive: ${which}`;
  return write(fail(record, { ...step, onFailure: 'wait' }, why, now), `"${step.text}": ${why}`);
}

function verb(
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
      `${kind} follows ${wanted}, and the environment is ${journal.state}. \`verdigris resume\` goes on from there`,
    );
  const { failingSince, error } = record.step;
  if (failingSince !== undefined && now - Date.parse(failingSince) >= step.limit)
    return failed(error ?? 'its limit has passed');
  if (kind === 'switch' && environment.live !== record.candidate)
    return forPerson(`the declaration says live: ${environment.live}. The switchover wants live: ${record.candidate}`);
  if (kind === 'retire') {
    const kept = Math.max(step.ms ?? 0, environment.retention.retained ?? defaultRetention);
    const from = Date.parse(journal.release?.switchedAt ?? record.step.since) + kept;
    if (now < from) return wait(known, `${step.text}: not before ${iso(from)}`, from);
  }
  if (kind === 'switch' || kind === 'retire') {
    const opens = nextOpening(environment.delivery, now);
    if (opens === undefined) return forPerson('no window opens within a year');
    if (opens > now) return wait(known, `${kind} waits for a window: ${clockText(environment.delivery, opens)}`, opens);
  }
  if (retried.includes(kind))
    return (
      notYet(record, kind, now) ?? {
        do: 'verb',
        verb: kind,
        ...(step.weight === undefined ? {} : { weight: step.weight }),
      }
    );
  if (late) return failed('its time limit has passed');
  return { do: 'verb', verb: kind, limit: Date.parse(record.step.since) + step.limit - now };
}

/** What depends on what clients do at the moment, so that a refusal may pass. */
export const retried: readonly Verb[] = ['canary', 'switch', 'retire'];

function isDone({ state, live, release }: Journal, { kind, weight }: DeliveryStep, candidate: Colour): boolean {
  if (state !== reached[kind]) return false;
  if (kind === 'canary') return release?.canary === weight;
  return kind === 'switch' ? live === candidate : kind !== 'retire';
}

/** The record of a release whose step failed. */
export function fail(record: DeliveryRecord, step: DeliveryStep, why: string, now: number): DeliveryRecord {
  const measured = step.kind === 'analysis' || step.kind === 'watch';
  const verdict = why.startsWith('inconclusive') ? 'inconclusive' : 'failure';
  return {
    ...record,
    stopped: { at: iso(now), step: step.text, follow: step.onFailure, why, attempts: 0 },
    ...(measured
      ? { verdicts: [...record.verdicts, { step: step.text, at: iso(now), verdict, metrics: record.tallies }] }
      : {}),
  };
}

function ended(record: DeliveryRecord, outcome: 'abandoned' | 'rolled back', why: string, now: number): Decision {
  const { waits: _, ...rest } = record;
  return write(
    {
      ...rest,
      ended: { at: iso(now), outcome, why },
      ...(outcome === 'rolled back' ? { rolledBackAt: iso(now) } : {}),
    },
    `release ${record.to} was ${outcome}: ${why}`,
  );
}

export function endText({ to, ended: end }: DeliveryRecord): string {
  const why = end?.why === undefined ? '' : `: ${end.why}. \`verdigris resume\` begins it again`;
  return `release ${to} was ${end?.outcome ?? ''} at ${end?.at ?? ''}${why}`;
}

function wait({ now }: Known, why: string, until: number): Decision {
  return { do: 'wait', why, until: Math.max(until, now + 1), person: false };
}

function forPerson(why: string): Decision {
  return { do: 'wait', why, person: true };
}

function write(record: DeliveryRecord, note: string): Decision {
  return { do: 'write', record, note };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
