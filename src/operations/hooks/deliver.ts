import { setTimeout as pause } from 'node:timers/promises';
import type { Hook } from '../../model/hooks.ts';
import type { Context } from '../engine/context.ts';
import { runProgram } from './command.ts';
import type { HookEvent } from './event.ts';
import { post } from './http.ts';
import { runHookJob } from './job.ts';
import { sendMail } from './mail.ts';
import type { Outcome } from './outcome.ts';
import { postToThread } from './slack.ts';
import { runStatement } from './sql.ts';
import { threadFor, type Thread } from './thread.ts';

/** Milliseconds before the second attempt; each next one waits twice as long, `longest` at most. */
const first = 250;
const longest = 10_000;

/** One attempt, for the hook's limit at most. `known`: the thread that its messages are in. */
export function deliverOnce(
  c: Context,
  known: Thread | undefined,
  hook: Hook,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  return attempt(c, known, hook, event, AbortSignal.any([AbortSignal.timeout(hook.limit), signal]));
}

/** Attempts until it is answered or the hook's limit is over, or the command is stopped. */
export async function insist(c: Context, known: Thread | undefined, hook: Hook, event: HookEvent): Promise<Outcome> {
  const signal = AbortSignal.any([AbortSignal.timeout(hook.limit), c.wish]);
  let outcome: Outcome = { kind: 'unanswered', why: 'it did not answer in time' };
  for (let wait = first; !signal.aborted; wait = Math.min(2 * wait, longest)) {
    outcome = await attempt(c, known, hook, event, signal);
    if (outcome.kind !== 'unanswered') return outcome;
    await pause(wait, undefined, { signal }).catch(() => undefined);
  }
  c.wish.throwIfAborted();
  return outcome;
}

function attempt(
  c: Context,
  known: Thread | undefined,
  hook: Hook,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  if (hook.job) return runHookJob(c, hook.job, hook.limit, event, signal);
  const { channel, tokenEnv } = hook.slack ?? {};
  if (hook.slack && channel !== undefined && tokenEnv !== undefined)
    return postToThread(hook.slack, { channel, tokenEnv }, threadFor(known, event), event, signal);
  if (hook.command) return runProgram(hook.command, event, signal);
  if (hook.sql) return runStatement(c, hook.sql, hook.limit);
  if (hook.mail) return sendMail(hook.mail, hook.limit, event, signal);
  return post(hook, event, signal);
}
