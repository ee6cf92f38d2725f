import { z } from 'zod';
import { duration } from './units.ts';

const hour = 3_600_000;

const day = 24 * hour;

const kinds = [
  'seed',
  'migrate',
  'verify',
  'canary',
  'pause',
  'analysis',
  'approve',
  'switch',
  'watch',
  'retire',
] as const;

export type StepKind = (typeof kinds)[number];

/** `wait`: for a person. `abandon`: only before the switchover. `rollback`: only after it, and only a lossless one. */
export const followUps = ['wait', 'abandon', 'rollback'] as const;

export type FollowUp = (typeof followUps)[number];

/**
 * Milliseconds that a step may take; of `switch`, `canary` and `retire`, that it may be refused before it counts as
 * failed.
 */
const limits: Readonly<Record<StepKind, number>> = {
  seed: 2 * hour,
  migrate: 2 * hour,
  verify: 4 * hour,
  canary: hour / 6,
  pause: Infinity,
  analysis: hour,
  approve: 7 * day,
  switch: hour,
  watch: Infinity,
  retire: day,
};

const amount = String.raw`\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)`;

const pattern = new RegExp(
  `^(?:(seed|migrate|verify|analysis|approve|switch|retire)|(canary) ([1-9]\\d?|100) ?%|(pause|watch) (${amount})|(retire) after (${amount}))$`,
);

const stepText = z
  .string()
  .regex(
    pattern,
    'is no step: seed, migrate, verify, canary 5 %, pause 10m, analysis, approve, switch, watch 1h, retire, retire after 7d',
  );

export interface DeliveryStep {
  /** As it is declared. */
  readonly text: string;
  readonly kind: StepKind;
  /** Of `canary`, in per cent. */
  readonly weight?: number;
  /** Of `pause`, `watch` and `retire after`, in milliseconds. */
  readonly ms?: number;
  readonly limit: number;
  readonly onFailure: FollowUp;
  /** Of `analysis` and `watch`: names of metrics; none for all that can be measured. */
  readonly metrics?: readonly string[] | undefined;
}

export const stepEntry = z
  .union([
    stepText,
    z.strictObject({
      step: stepText,
      limit: duration.optional(),
      onFailure: z.enum(followUps).optional(),
      metrics: z.array(z.string()).min(1).optional(),
    }),
  ])
  .transform((entry): DeliveryStep => {
    const { step: text, ...own } = typeof entry === 'string' ? { step: entry } : entry;
    const [, plain, canary, percent, waits, span, retire, after] = pattern.exec(text) ?? [];
    const kind = (plain ?? canary ?? waits ?? retire) as StepKind;
    const ms = span ?? after;
    return {
      text,
      kind,
      ...(percent === undefined ? {} : { weight: Number(percent) }),
      ...(ms === undefined ? {} : { ms: duration.parse(ms) }),
      limit: own.limit ?? limits[kind],
      onFailure: own.onFailure ?? (kind === 'watch' ? 'rollback' : 'wait'),
      metrics: own.metrics,
    };
  });

/** The verbs in the order in which the states follow each other. */
const order: readonly StepKind[] = ['seed', 'migrate', 'verify', 'canary', 'switch', 'watch', 'retire'];

export function stepFaults(steps: readonly DeliveryStep[]): { index: number; message: string }[] {
  if (steps.length === 0) return [];
  const faults: { index: number; message: string }[] = [];
  const seen: StepKind[] = [];
  for (const [index, { text, kind, onFailure, metrics }] of steps.entries()) {
    const fault = (message: string) => faults.push({ index, message: `${text}: ${message}` });
    const before = order
      .slice(0, Math.max(0, order.indexOf(kind)))
      .filter((each) => each !== 'canary' && each !== 'watch');
    if (order.includes(kind)) {
      for (const missing of before) if (!seen.includes(missing)) fault(`comes before ${missing}`);
      const later = order.slice(order.indexOf(kind) + 1).find((each) => seen.includes(each));
      if (later !== undefined) fault(`comes after ${later}`);
      if (kind !== 'canary' && seen.includes(kind)) fault('is there twice');
    }
    if (kind === 'analysis' && !seen.includes('migrate'))
      fault('comes before migrate: there is nothing to measure yet');
    const switched = seen.includes('switch');
    if (seen.includes('retire')) fault('comes after retire, which ends the release');
    if (onFailure === 'rollback' && !switched) fault('can only be followed by a rollback after the switchover');
    if (onFailure === 'abandon' && switched) fault('cannot be abandoned after the switchover');
    if (metrics !== undefined && kind !== 'analysis' && kind !== 'watch')
      fault('measures nothing, so it has no metrics');
    seen.push(kind);
  }
  if (!seen.includes('switch'))
    faults.push({
      index: steps.length - 1,
      message: 'there is no switch: an automatic release moves the writes',
    });
  return faults;
}
