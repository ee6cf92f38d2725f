import { z } from 'zod';
import { condition, exampleOf, type Condition } from './condition.ts';
import { httpUrl } from './http-url.ts';
import { jobSchema } from './job.ts';
import { duration } from './units.ts';

/** What Verdigris knows how to measure by itself. */
export const readyMetrics = [
  'latency',
  'errors',
  'plans',
  'lag',
  'apply',
  'connections',
  'cache',
  'indexes',
  'mirror',
] as const;
export type ReadyMetric = (typeof readyMetrics)[number];

const sources = ['prometheus', 'sql', 'http', 'command', 'job', 'ready'] as const;

const metricSchema = z
  .strictObject({
    /** An instant query that gives one series; `bearerFrom` names the environment variable with its token. */
    prometheus: z
      .strictObject({ url: httpUrl, query: z.string().min(1), bearerFrom: z.string().min(1).optional() })
      .optional(),
    /** One row of one number, asked by a role that can only read. */
    sql: z.strictObject({ on: z.enum(['candidate', 'live']), query: z.string().min(1) }).optional(),
    /** The value is the status of the answer. */
    http: z.strictObject({ url: httpUrl }).optional(),
    /** The value is the exit code. */
    command: z.array(z.string().min(1)).min(1).optional(),
    /** The same of a Job of the cluster. */
    job: jobSchema.optional(),
    ready: z.enum(readyMetrics).optional(),
    success: condition.optional(),
    failure: condition.optional(),
    /** Between two measurements. */
    interval: duration.default(30_000),
    /** Measurements with a result that an analysis wants. */
    count: z.int().min(1).max(1000).default(3),
    /** Failures that are borne. */
    failureLimit: z.int().min(0).default(0),
    /** Measurements without a result that are borne. */
    inconclusiveLimit: z.int().min(0).default(2),
    /** From the step's beginning to the first measurement: what is scraped has no series before. */
    initialDelay: duration.default(0),
    /** Measured and shown, without a say in what becomes of the release. */
    dryRun: z.boolean().default(false),
    /** For one measurement. */
    timeout: duration.default(30_000),
    /** Of `latency` and `errors`: statements that read, as the software sends them, values included. */
    statements: z.array(z.string().min(1)).optional(),
    /** Of `mirror`: per cent of what clients read that is run on both colours, for the length of `timeout`. */
    share: z.number().gt(0).max(100).default(5),
    /** Of `latency` and `mirror`: how much slower than the live colour is borne; 0.1 is a tenth. */
    tolerance: z.number().min(0).default(0.1),
    /** Of `latency`, `errors` and `mirror`: 1 minus the share of releases without a difference that may be stopped. */
    confidence: z.number().gt(0.5).lt(1).default(0.95),
    /** Of `latency` and `errors`: executions of each statement on each colour, a measurement. */
    samples: z.int().min(20).max(10_000).default(400),
  })
  .check((context) => {
    const metric = context.value;
    const given = sources.filter((source) => metric[source] !== undefined);
    const issue = (message: string) => context.issues.push({ code: 'custom', message, input: metric });
    if (given.length !== 1)
      issue(`has ${given.length === 0 ? 'no source' : given.join(' and ')}: one of ${sources.join(', ')} is wanted`);
    if ((metric.prometheus ?? metric.sql) && metric.success === undefined && metric.failure === undefined)
      issue('says neither `success` nor `failure`, so that no value would mean anything');
    for (const fault of unfitConditions(metric)) issue(fault);
    if (metric.statements !== undefined && metric.ready !== 'latency' && metric.ready !== 'errors')
      issue('has `statements`, which only `ready: latency` and `ready: errors` run');
  });

/** One that is no condition, which is told by itself, is still its text here. */
function unfitConditions(metric: Partial<Record<'success' | 'failure', Condition | undefined>>): string[] {
  const of = (key: 'success' | 'failure'): Condition[] => (Array.isArray(metric[key]) ? [metric[key]] : []);
  const faults = (['success', 'failure'] as const)
    .filter((key) => of(key).some((wanted) => exampleOf(wanted) === undefined))
    .map((key) => `has a condition \`${key}\` that no number meets`);
  const [success, failure] = [of('success')[0], of('failure')[0]];
  const both = success && failure && exampleOf([...success, ...failure]);
  if (both === undefined) return faults;
  return [...faults, `calls ${both} both \`success\` and \`failure\`: let no number meet both conditions`];
}

export type Metric = z.output<typeof metricSchema>;

export const metricsSchema = z.record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), metricSchema);

/** A ready metric as it is when nobody declares it otherwise. */
export function readyMetric(ready: ReadyMetric): Metric {
  return metricSchema.parse({ ready });
}
