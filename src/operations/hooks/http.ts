import { describe } from '../../model/errors.ts';
import type { Hook } from '../../model/hooks.ts';
import { messageOf, type HookEvent } from './event.ts';
import { signature } from './signature.ts';
import { shortened, type Outcome } from './outcome.ts';

/** Statuses that say that another time may do: RFC 9110, and 425 of RFC 8470. */
const another = new Set([408, 425, 429]);

/** Posts the event. A redirect is no answer: the event goes where it was declared to go, and nowhere else. */
export async function post(hook: Hook, event: HookEvent, signal: AbortSignal): Promise<Outcome> {
  const { url, urlEnv } = hook.http ?? hook.slack ?? {};
  const to = url ?? process.env[urlEnv ?? ''];
  if (to === undefined) return { kind: 'unanswered', why: `the environment variable ${urlEnv} is not set` };
  const secretEnv = hook.http?.secretEnv;
  const secret = secretEnv === undefined ? undefined : process.env[secretEnv];
  if (secretEnv !== undefined && secret === undefined)
    return { kind: 'unanswered', why: `the environment variable ${secretEnv} is not set` };
  const body = JSON.stringify(hook.slack ? { text: messageOf(event) } : event);
  const at = Math.floor(Date.now() / 1000);
  const signed = {
    'webhook-id': event.id,
    'webhook-timestamp': String(at),
    ...(secret === undefined ? {} : { 'webhook-signature': signature(secret, event.id, at, body) }),
  };
  const headers = {
    'content-type': hook.slack ? 'application/json' : 'application/cloudevents+json; charset=utf-8',
    ...signed,
  };
  try {
    const answer = await fetch(to, { method: 'POST', redirect: 'manual', headers, body, signal });
    const said = shortened(await answer.text());
    const why = `it answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
    if (answer.ok) return { kind: 'done' };
    return {
      kind: answer.status >= 400 && answer.status < 500 && !another.has(answer.status) ? 'refused' : 'unanswered',
      why,
    };
  } catch (error) {
    return { kind: 'unanswered', why: signal.aborted ? 'it did not answer in time' : describe(error) };
  }
}
