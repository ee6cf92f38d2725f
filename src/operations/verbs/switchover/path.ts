import { VerdigrisError } from '../../../model/errors.ts';
import { waitFor } from '../../../model/wait.ts';
import type { Step } from '../../engine/operation.ts';

/**
 * Milliseconds behind the commit point in which the clients' path must take its change, and again in which it must
 * work.
 */
const pathLimit = 60_000;

/** Milliseconds beyond a wait's own limit, which names its cause, until its step is given up. */
const ownLimit = 5_000;

export const route: Step = {
  id: 'route',
  title: 'point the clients’ path to the new live colour',
  why: 'all writes at once, never by weight',
  risk: 'none: clients are still held',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    let last = '';
    await waitFor(
      () =>
        c.platform.traffic.route(c.ledger.token, c.live, 0).then(
          () => true as const,
          (error: unknown) => {
            // Behind the commit point there is no way but forward; somebody with a newer lease goes it.
            if (error instanceof VerdigrisError && error.code === 'busy') throw error;
            last = String(error);
            return undefined;
          },
        ),
      {
        limit: pathLimit,
        signal: c.signal,
        every: 20,
        slowest: 1_000,
        what: `the clients’ path pointed to ${c.live}`,
        next: 'fix what refuses it; the same command goes on from here, clients are held meanwhile.',
      },
      () => last,
    );
  },
};

export const probe: Step = {
  id: 'probe',
  title: 'ask through the clients’ path who answers',
  why: 'a route that is written is not yet a route that works; the system identifier is the same on both, so the colour is asked for',
  risk: 'clients wait until the answer is right',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    let last = 'no answer';
    await waitFor(
      async () => {
        const answer = await c.platform.traffic.probe().catch((error: unknown) => {
          last = String(error);
          return undefined;
        });
        if (!answer) return undefined;
        last = `${answer.colour} answers${answer.writable ? '' : ', read-only'}`;
        return answer.colour === c.live && answer.writable ? true : undefined;
      },
      {
        limit: pathLimit,
        signal: c.signal,
        every: 5,
        slowest: 25,
        what: `${c.live}, writable, through the clients’ path`,
        next: 'fix the path; the same command goes on from here, clients are held meanwhile.',
      },
      () => last,
    );
  },
};
