import { setTimeout as pause } from 'node:timers/promises';
import type { Hook } from '../../model/hooks.ts';
import type { Context } from '../engine/context.ts';
import { runProgram } from './command.ts';
import type { HookEvent } from './event.ts';
import { post } from './http.ts';
import { sendMail } from './mail.ts';
import type { Outcome } from './outcome.ts';
import { runStatement } from './sql.ts';

/** Milliseconds before the second attempt; each next one waits twice as long, `longest` at most. */
const first = 250;
const longest = 10_000;

/** One attempt, for the hook's limit at most. */
export function deliverOnce(c: Context, hook: Hook, event: HookEvent, signal: AbortSignal): Promise<Outcome> {
  return attempt(c, hook, event, AbortSignal.any([AbortSignal.timeout(hook.limit), signal]));
}

/** Attempts until it is answered or the hook's limit is over, or the command is stopped. */
export async function insist(c: Context, hook: Hook, event: HookEvent): Promise<Outcome> {
  const signal = AbortSignal.any([AbortSignal.timeout(hook.limit), c.signal]);
  let outcome: Outcome = { kind: 'unanswered', why: 'it did not answer in time' };
  for (let wait = first; !signal.aborted; wait = Math.min(2 * wait, longest)) {
    outcome = await attempt(c, hook, event, signal);
    if (outcome.kind !== 'unanswered') return outcome;
    await pause(wait, undefined, { signal }).catch(() => undefined);
  }
  c.signal.throwIfAborted();
  return outcome;
}

function attempt(c: Context, hook: Hook, event: HookEvent, signal: AbortSignal): Promise<Outcome> {
  if (hook.command) return runProgram(hook.command, event, signal);
  if (hook.sql) return runStatement(c, hook.sql, hook.limit);
  if (hook.mail) return sendMail(hook.mail, hook.limit, event, signal);
  return post(hook, event, signal);
}
