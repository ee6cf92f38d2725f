import { z } from 'zod';
import { metricsSchema, readyMetrics } from './delivery-metrics.ts';
import { stepEntry, stepFaults } from './delivery-step.ts';

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
