import { z } from 'zod';
import { describe } from '../../model/errors.ts';
import type { Hook } from '../../model/hooks.ts';
import { messageOf, type HookEvent } from './event.ts';
import { shortened, type Outcome } from './outcome.ts';

/** As chat.postMessage answers; by `ts` other messages are put under this one. */
const answerSchema = z.looseObject({ ok: z.boolean(), ts: z.string().optional(), error: z.string().optional() });

/** Errors of Slack's that another time may not have. */
const passing = /^(ratelimited|rate_limited|internal_error|fatal_error|service_unavailable|request_timeout)$/;

/**
 * Posts a message into the thread of its release, or begins that. A failure is shown in the channel too, where those
 * look who do not follow the thread.
 */
export async function postToThread(
  { url, urlEnv }: NonNullable<Hook['slack']>,
  { channel, tokenEnv }: { readonly channel: string; readonly tokenEnv: string },
  thread: string | undefined,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  const to = url ?? process.env[urlEnv ?? ''];
  const token = process.env[tokenEnv];
  if (to === undefined || token === undefined)
    return { kind: 'unanswered', why: `the environment variable ${to === undefined ? urlEnv : tokenEnv} is not set` };
  const failed = event.data.severity === 'error';
  const body = {
    channel,
    text: messageOf(event),
    ...(thread === undefined ? {} : { thread_ts: thread, ...(failed ? { reply_broadcast: true } : {}) }),
  };
  try {
    const answer = await fetch(to, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal,
    });
    const text = await answer.text();
    const given = answer.ok ? parsed(text) : undefined;
    if (!given) return { kind: 'unanswered', why: `it answered ${answer.status}: ${shortened(text)}` };
    if (given.ok) return { kind: 'done', ...(given.ts === undefined ? {} : { thread: given.ts }) };
    const why = `it answered ${given.error ?? 'that it did not'}`;
    return { kind: passing.test(given.error ?? '') ? 'unanswered' : 'refused', why };
  } catch (error) {
    return { kind: 'unanswered', why: signal.aborted ? 'it did not answer in time' : describe(error) };
  }
}

function parsed(text: string): z.output<typeof answerSchema> | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
