import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { note } from '../../engine/release-record.ts';

/** Milliseconds after which a hold that nobody renews is taken back by the platform's dead man's limit. */
export const holdLease = 3_000;

export const hold: Step = {
  id: 'hold',
  title: 'hold the clients',
  why: 'a client that waits sees no error; one that is cut off does',
  risk: 'clients wait from here; after limits.pause with a transaction still open, all go on and nothing has happened',
  async run(c) {
    await c.platform.traffic.hold(c.ledger.token, c.environment.limits.pause, holdLease);
    c.renewal.start(() => c.platform.traffic.renew(c.ledger.token, holdLease), holdLease / 4);
  },
  async undo(c) {
    c.renewal.stop();
    await c.platform.traffic.resume(c.ledger.token);
  },
};

export const resume: Step = {
  id: 'resume',
  title: 'let the clients go on',
  why: 'everything that a waiting client does not need comes later',
  risk: 'none',
  async run(c) {
    c.renewal.stop();
    await c.platform.traffic.resume(c.ledger.token);
    const pauseMs = pause(c);
    if (pauseMs !== undefined) await note(c, { pauseMs, switchedAt: new Date().toISOString() });
    return pauseMs === undefined ? undefined : `clients were held for ${pauseMs} ms`;
  },
};

/** From the moment that clients were asked to wait until they were let go, in ms, across a crash in between. */
function pause(c: Context): number | undefined {
  const began = c.journal.timeline.findLast((span) => span.step === 'hold' && span.outcome === 'done');
  return began && Date.now() - Date.parse(began.startedAt);
}
