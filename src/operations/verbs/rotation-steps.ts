import { rotatedNow } from '../../model/credential-record.ts';
import type { Context } from '../engine/context.ts';

export type RotationStep = <T>(id: string, title: string, run: () => Promise<T>) => Promise<T>;

/**
 * Each step is on the journal's timeline when it has ended, and with the one called `last` the password has a new age;
 * a process that lost its lease goes no further.
 */
export function rotationSteps(c: Context, role: string, last: string): RotationStep {
  return async (id, title, run) => {
    c.signal.throwIfAborted();
    const event = { type: 'step', verb: 'rotate', step: `${id} ${role}`, title: `${role}: ${title}` } as const;
    const startedAt = new Date();
    c.emit({ ...event, status: 'started' });
    const result = await run();
    const endedAt = new Date();
    const span = { verb: 'rotate', step: event.step, outcome: 'done' } as const;
    await c.ledger.write((journal) => ({
      ...journal,
      ...(id === last ? { credentials: rotatedNow(journal.credentials, role, endedAt.toISOString()) } : {}),
      timeline: [...journal.timeline, { ...span, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString() }],
    }));
    c.emit({ ...event, status: 'done', ms: endedAt.getTime() - startedAt.getTime() });
    return result;
  };
}
