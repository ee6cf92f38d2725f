import { z } from 'zod';
import { httpUrl } from './http-url.ts';
import { jobSchema } from './job.ts';
import { verbs } from './transitions.ts';
import { duration } from './units.ts';

/**
 * Of a switchover, from the last look at replication to the release of the clients: whoever waits for others there lets
 * all clients wait.
 */
const held =
  'fence seal sequences barrier advance-reverse run-data finish-tool commit-data detach export open route probe'.split(
    ' ',
  );
const whileHeld = {
  before: new Set(['hold', ...held, 'resume']),
  after: new Set(['settle', 'hold', ...held]),
} as const;

/** A verb, or a step of one: `switch`, `migrate/apply`. */
const point = z
  .string()
  .refine((text) => verbs.some((verb) => verb === text.split('/')[0]), `begins with a verb: ${verbs.join(', ')}`)
  .refine((text) => /^[a-z]+(\/[a-z-]+)?$/.test(text), 'is a verb or verb/step, such as switch or migrate/apply');

/** Steps of a release that walks by itself, beside the verbs: what fails there is reported too. */
export const walkedSteps = ['analysis', 'approve', 'watch'] as const;

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is the name of an environment variable');
const place = { url: httpUrl.optional(), urlEnv: variable.optional() };

/** What is done: one of them a hook. */
const deeds = {
  /** A CloudEvent is posted there; signed where there is a secret. */
  http: z.strictObject({ ...place, secretEnv: variable.optional() }).optional(),
  /**
   * A message for people, as Slack's incoming webhooks and those like them take it; with a channel as chat.postMessage
   * does, by which all messages of one release are one thread.
   */
  slack: z.strictObject({ ...place, channel: z.string().min(1).optional(), tokenEnv: variable.optional() }).optional(),
  /** A mail for people, one thread for a release; a URL with a password is an environment variable's. */
  mail: z
    .strictObject({
      url: z.url({ protocol: /^smtps?$/ }).optional(),
      urlEnv: variable.optional(),
      from: z.email(),
      to: z.array(z.email()).min(1),
    })
    .optional(),
  /** Program and arguments; the event is its standard input. */
  command: z.array(z.string().min(1)).min(1).optional(),
  /** A Job of the cluster, which is told the event as VERDIGRIS_EVENT. */
  job: jobSchema.optional(),
  /** One statement, as a role of the database. */
  sql: z
    .strictObject({
      statement: z.string().min(1),
      on: z.enum(['live', 'candidate']).default('live'),
      role: z.string().min(1),
    })
    .optional(),
};

const hookSchema = z
  .strictObject({
    /** `approve`: when a release that walks by itself waits for it. */
    before: z.array(z.union([z.literal('approve'), point])).default([]),
    after: z.array(point).default([]),
    /** Verbs, and steps of a release that walks by itself, whose failure is reported. */
    failed: z.array(z.enum([...verbs, ...walkedSteps])).default([]),
    ...deeds,
    /** A refusal, or no answer within the limit, ends the verb before anything of it was done. */
    blocking: z.boolean().default(false),
    limit: duration.default(10_000),
  })
  .superRefine((hook, context) => {
    const fault = (message: string, ...path: string[]) => context.addIssue({ code: 'custom', message, path });
    const given = Object.keys(deeds).filter((deed) => hook[deed as keyof typeof deeds] !== undefined);
    if (given.length !== 1)
      fault(`has one of ${Object.keys(deeds).join(', ')}; this has ${given.join(' and ') || 'none'}`);
    for (const deed of ['http', 'slack', 'mail'] as const)
      if (hook[deed] && (hook[deed].url === undefined) === (hook[deed].urlEnv === undefined))
        fault('has url or urlEnv', deed);
    if (hook.slack && (hook.slack.channel === undefined) !== (hook.slack.tokenEnv === undefined))
      fault('has channel and tokenEnv, or neither', 'slack');
    if (hook.before.length + hook.after.length + hook.failed.length === 0)
      fault('is never called: before, after or failed');
    if (hook.blocking && hook.before.length === 0) fault('only what comes before something can refuse it', 'blocking');
    if (hook.blocking && hook.before.includes('approve'))
      fault('nobody is asked whether an approval is waited for', 'before');
    for (const when of ['before', 'after'] as const)
      for (const at of hook[when].filter((each) => whileHeld[when].has(stepOf(each) ?? '')))
        fault(
          `${when} ${at} clients are held or about to be, and nothing but Verdigris runs then: before ${verbOf(at)} or after it`,
          when,
        );
  });

export const hooksSchema = z.record(
  z.string().regex(/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/, 'a hook has 1 to 30 of a-z, 0-9 and -'),
  hookSchema,
);

export type Hook = z.output<typeof hookSchema>;
export type HookMoment = 'before' | 'after' | 'failed';

export function verbOf(at: string): string {
  return at.split('/')[0] ?? '';
}

export function stepOf(at: string): string | undefined {
  return at.split('/')[1];
}
