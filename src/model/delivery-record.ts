import { z } from 'zod';
import { colours } from './colours.ts';
import { followUps } from './delivery-step.ts';

const time = z.iso.datetime();

export const metricVerdicts = ['success', 'failure', 'inconclusive'] as const;
export type MetricVerdict = (typeof metricVerdicts)[number];

/** What a metric has given since its step began. */
const tally = z.strictObject({
  success: z.int(),
  failure: z.int(),
  inconclusive: z.int(),
  /** Of the last measurement, and what it showed, with figures. */
  at: time,
  seen: z.string(),
  value: z.number().optional(),
  /** What was measured until now, the oldest first: milliseconds since 1970, and the value. */
  series: z.array(z.tuple([z.number(), z.number()])).optional(),
});

const verdict = z.strictObject({
  step: z.string(),
  at: time,
  verdict: z.enum(metricVerdicts),
  metrics: z.record(z.string(), tally),
});

const approval = z.strictObject({
  at: time,
  by: z.string(),
  reason: z.string().optional(),
  /** Of the release that was approved; it counts for no other. */
  digest: z.string(),
  /** Index of the step that it answers. */
  step: z.int(),
});

/** A release that walks by itself: all that its controller knows, so that another one can go on at any point. */
export const deliveryRecord = z.strictObject({
  from: z.string(),
  to: z.string(),
  candidate: z.enum(colours),
  /** Of the target and its migrations: another one is another release. */
  digest: z.string(),
  startedAt: time,
  step: z.strictObject({
    index: z.int(),
    text: z.string(),
    since: time,
    /** Attempts that failed, since when, why the last one did, and when it is tried again. */
    failures: z.int().default(0),
    failingSince: time.optional(),
    error: z.string().optional(),
    again: time.optional(),
  }),
  /** What it waits for, for people. */
  waits: z.string().optional(),
  tallies: z.record(z.string(), tally).default({}),
  verdicts: z.array(verdict).default([]),
  approvals: z.array(approval).default([]),
  /** A person acts by himself, or asked it to hold: nothing is done until `resume`. */
  taken: z.strictObject({ at: time, by: z.string(), what: z.string(), reason: z.string().optional() }).optional(),
  /** A step failed; what follows is done once, whoever dies meanwhile. */
  stopped: z
    .strictObject({
      at: time,
      step: z.string(),
      follow: z.enum(followUps),
      why: z.string(),
      attempts: z.int().default(0),
    })
    .optional(),
  ended: z
    .strictObject({ at: time, outcome: z.enum(['released', 'abandoned', 'rolled back']), why: z.string().optional() })
    .optional(),
  /** When the environment was last rolled back by itself; of an earlier release too. */
  rolledBackAt: time.optional(),
});

export type DeliveryRecord = z.output<typeof deliveryRecord>;
export type VerdictTally = z.output<typeof tally>;

export const phases = ['walking', 'waiting', 'stopped', 'held', 'ended'] as const;

/** `stopped`: a step failed. `held`: a person took it over. `waiting`: for a time or a person, as it should. */
export function phaseOf({ ended, taken, stopped, waits }: DeliveryRecord): (typeof phases)[number] {
  if (ended) return 'ended';
  if (taken) return 'held';
  if (stopped) return 'stopped';
  return waits === undefined ? 'walking' : 'waiting';
}

/** Whether a controller would go on with it by itself. */
export function isWalking(record: DeliveryRecord | null | undefined): record is DeliveryRecord {
  return record !== null && record !== undefined && !record.ended && !record.taken;
}

/** Whether this is how that release walked; one that had ended before it began is an earlier one's. */
export function isOf(record: DeliveryRecord, release: { readonly to: string; readonly startedAt: string }): boolean {
  return record.to === release.to && (!record.ended || record.ended.at >= release.startedAt);
}

/** As the history takes it: whoever ended the release has ended its walk. */
export function ended(
  record: DeliveryRecord,
  release: { readonly to: string; readonly drill?: true | undefined },
  outcome: NonNullable<DeliveryRecord['ended']>['outcome'],
  at: string,
): DeliveryRecord {
  if (record.ended || record.to !== release.to || release.drill) return record;
  const { waits: _, stopped, ...rest } = record;
  const why = stopped?.why;
  return { ...rest, ...(stopped ? { stopped } : {}), ended: { at, outcome, ...(why === undefined ? {} : { why }) } };
}

/** As it is once a person acts by himself. */
export function taken(record: DeliveryRecord, by: string, what: string, reason?: string): DeliveryRecord {
  const at = new Date().toISOString();
  return { ...record, taken: { at, by, what, ...(reason === undefined ? {} : { reason }) } };
}
