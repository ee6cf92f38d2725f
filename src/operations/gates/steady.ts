import { VerdigrisError } from '../../model/errors.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { Context } from '../engine/context.ts';
import { release } from '../engine/release-record.ts';

/**
 * Throws where the live server restarted or changed its timeline since the slot was made: the log may have been rewound
 * under the copy.
 */
export async function requireSteady(c: Context): Promise<void> {
  const { startTime, timeline } = release(c).seed;
  const now = await c.on(c.live, serverIdentity);
  if (now.startTime === startTime && now.timeline === timeline) return;
  throw new VerdigrisError('live-restarted', {
    seen:
      `The live server ${c.live} ` +
      `${now.timeline === timeline ? `restarted at ${now.startTime}` : `is on timeline ${now.timeline}, not ${timeline}`} ` +
      'while it was being seeded.',
    required: 'the same server process from slot to subscription: otherwise a copy may hold what never became durable.',
    next: 'the candidate is removed; seed again.',
    facts: { before: { startTime, timeline }, now },
  });
}
