import { z } from 'zod';
import { metricsSchema, readyMetrics } from './delivery-metrics.ts';
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

const stepEntry = z
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

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'is no time of day such as 09:00');

const windowSchema = z
  .strictObject({ days: z.array(z.enum(weekdays)).min(1), from: timeOfDay, to: timeOfDay })
  .refine(
    ({ from, to }) => from < to,
    'does not end after it begins; a night has one window before midnight and one after it',
  );

export type DeliveryWindow = z.output<typeof windowSchema>;

/** 1 for Monday to 7 for Sunday, as ISO 8601 counts. */
export function weekdayNumbers({ days }: DeliveryWindow): number[] {
  return days.map((name) => weekdays.indexOf(name) + 1);
}

const freeze = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(\.\.\d{4}-\d{2}-\d{2})?$/, 'is no date such as 2026-12-24, nor two joined by ..')
  .refine((text) => freezeDates(text).every(isDate), 'has a date that does not exist')
  .refine((text) => {
    const [first, last] = freezeDates(text);
    return first <= last;
  }, 'ends before it begins: is its second year the right one?');

/** Date.parse takes 30 February for 2 March. */
function isDate(text: string): boolean {
  const parsed = new Date(text);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

/** First and last day, both frozen. */
export function freezeDates(text: string): [string, string] {
  const [first = '', last = first] = text.split('..');
  return [first, last];
}

export const deliverySchema = z
  .strictObject({
    /** What `verdigris release --follow` walks, in order; none: releases are walked by people. */
    steps: z.array(stepEntry).default([]),
    /** On the platform kubernetes: a Deployment walks them, and `pulumi up` leaves that to it. */
    controller: z.boolean().default(false),
    /** Of the windows and the frozen dates, as IANA names it. */
    timeZone: z.string().refine(isTimeZone, 'is no time zone of the IANA list, such as Europe/Berlin').default('UTC'),
    /** When `switch` and `retire` may begin; none: at any time. */
    windows: z.array(windowSchema).default([]),
    /** Dates on which neither begins. */
    freeze: z.array(freeze).default([]),
    /** Measured by `analysis` and `watch`, by name; the name of a ready one changes that one. */
    metrics: metricsSchema.default({}),
  })
  .check((context) => {
    for (const { index, message } of stepFaults(context.value.steps))
      context.issues.push({ code: 'custom', message, input: context.value, path: ['steps', index] });
    if (context.value.controller && context.value.steps.length === 0)
      context.issues.push({
        code: 'custom',
        message: 'walks declared steps, and delivery.steps has none',
        input: context.value,
        path: ['controller'],
      });
    const known = new Set<string>([...readyMetrics, ...Object.keys(context.value.metrics)]);
    for (const [index, step] of context.value.steps.entries())
      for (const name of step.metrics ?? [])
        if (!known.has(name))
          context.issues.push({
            code: 'custom',
            message: `names the metric ${name}, which is neither declared nor one of ${readyMetrics.join(', ')}`,
            input: context.value,
            path: ['steps', index],
          });
  });

export type Delivery = z.output<typeof deliverySchema>;

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

/** The verbs in the order in which the states follow each other. */
const order: readonly StepKind[] = ['seed', 'migrate', 'verify', 'canary', 'switch', 'watch', 'retire'];

function stepFaults(steps: readonly DeliveryStep[]): { index: number; message: string }[] {
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
