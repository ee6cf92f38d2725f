import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep, StepKind } from '../model/delivery-step.ts';
import type { State } from '../model/transitions.ts';

type Target = Pick<DeliveryRecord, 'from' | 'to' | 'candidate' | 'digest'>;

/** Of a record that is given for its target nothing else is taken over: who held it, and why it stopped. */
export function begin(
  { from, to, candidate, digest }: Target,
  steps: readonly DeliveryStep[],
  index: number,
  now: number,
  rolledBackAt: string | undefined,
): DeliveryRecord {
  const at = new Date(now).toISOString();
  return {
    ...{ from, to, candidate, digest },
    startedAt: at,
    step: { index, text: steps[index]?.text ?? '', since: at, failures: 0 },
    tallies: {},
    verdicts: [],
    approvals: [],
    ...(rolledBackAt === undefined ? {} : { rolledBackAt }),
  };
}

/** The record at its next step; behind the last one the release has ended. */
export function next(record: DeliveryRecord, steps: readonly DeliveryStep[], now: number): DeliveryRecord {
  const at = new Date(now).toISOString();
  const done = steps[record.step.index];
  const { waits: _, tallies, ...rest } = record;
  const measured = done?.kind === 'analysis' || done?.kind === 'watch';
  const past: DeliveryRecord = {
    ...rest,
    tallies: {},
    verdicts: measured
      ? [...record.verdicts, { step: done.text, at, verdict: 'success', metrics: tallies }]
      : record.verdicts,
  };
  const index = record.step.index + 1;
  const step = steps[index];
  if (!step) return { ...past, ended: { at, outcome: 'released' } };
  return { ...past, step: { index, text: step.text, since: at, failures: 0 } };
}

/** The states that steps end in. */
export const reached: Readonly<Partial<Record<StepKind, State>>> = {
  seed: 'seeded',
  migrate: 'migrated',
  verify: 'verified',
  canary: 'canary',
  switch: 'switched',
  retire: 'single',
};

/** The state that the steps before one lead to. */
export function entryState(steps: readonly DeliveryStep[], index: number): State {
  return steps.slice(0, index).reduce<State>((state, { kind }) => reached[kind] ?? state, 'single');
}

/** The first step that begins in a state; of a canary that the steps do not have, as of a verified candidate. */
export function placeFor(steps: readonly DeliveryStep[], state: State): number {
  const found = steps.findIndex((_, index) => entryState(steps, index) === state);
  return found === -1 ? placeFor(steps, state === 'canary' ? 'verified' : 'single') : found;
}
