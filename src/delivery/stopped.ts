import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery-step.ts';
import { forPerson, iso, write, type Decision, type Known } from './decision.ts';
import { notYet } from './verb-step.ts';

/** Milliseconds within which an environment is rolled back by itself at most once, whatever the release. */
export const rollbackEvery = 3_600_000;
/** How often a rollback that is refused is tried again before a person has to look. */
export const rollbackAttempts = 5;

/** A step failed: what follows is computed of the state that is, so that it is done once whoever died in between. */
export function stopped(
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

function rollbackRefused(record: DeliveryRecord, now: number): string | undefined {
  if ((record.stopped?.attempts ?? 0) >= rollbackAttempts)
    return `it was refused ${rollbackAttempts} times: ${record.step.error ?? 'no reason is known'}`;
  const last = record.rolledBackAt === undefined ? undefined : Date.parse(record.rolledBackAt);
  if (last !== undefined && now - last < rollbackEvery)
    return `it was done at ${record.rolledBackAt}, less than ${rollbackEvery / 60_000} minutes ago`;
  return undefined;
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
