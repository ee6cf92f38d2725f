import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * As Standard Webhooks has it: over id, time and body, so that none of them can be another's. `at` in seconds since
 * 1970.
 */
export function signature(secret: string, id: string, at: number, body: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}

/** Seconds by which the clocks of both ends may differ, the message's way included. */
const tolerance = 300;

export interface Signed {
  readonly id: string | undefined;
  readonly at: string | undefined;
  /** One or more, with a space between: while a secret is changed the old one and the new one. */
  readonly signatures: string | undefined;
}

/** What is wrong with a signature; undefined where it is right and of now. `now` in seconds since 1970. */
export function faultOf(secret: string, { id, at, signatures }: Signed, body: string, now: number): string | undefined {
  if (id === undefined || id === '' || at === undefined || signatures === undefined)
    return 'webhook-id, webhook-timestamp and webhook-signature are needed';
  const time = /^\d{1,12}$/.test(at) ? Number(at) : NaN;
  if (!(Math.abs(now - time) <= tolerance)) return `it was signed more than ${tolerance} s from now`;
  const right = Buffer.from(signature(secret, id, time, body));
  const same = (given: string): boolean => {
    const bytes = Buffer.from(given);
    return bytes.length === right.length && timingSafeEqual(bytes, right);
  };
  return signatures.split(' ').some(same) ? undefined : 'the signature is not of this message and secret';
}
