import { setTimeout as sleep } from 'node:timers/promises';
import type { Colour } from '../../../model/colours.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { waitFor } from '../../../model/wait.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';

/**
 * Milliseconds behind the commit point in which the clients' path must take its change, and again in which it must
 * work.
 */
const pathLimit = 60_000;

/** Milliseconds beyond a wait's own limit, which names its cause, until its step is given up. */
const ownLimit = 5_000;

/** What is waited for, what to do where it does not come, and how often it is asked, in milliseconds. */
interface Wanted {
  readonly what: string;
  readonly next: string;
  readonly every: number;
  readonly slowest: number;
}

/**
 * Behind the commit point there is no way but forward: asks until the path is as wanted, and names the last answer where
 * it never is.
 * @param attempt undefined where the path is as wanted, else what was seen.
 */
async function untilPath(c: Context, wanted: Wanted, attempt: () => Promise<string | undefined>): Promise<void> {
  let last = 'no answer';
  await waitFor(
    async () => {
      const seen = await attempt();
      if (seen === undefined) return true;
      last = seen;
      return undefined;
    },
    { limit: pathLimit, signal: c.signal, ...wanted },
    () => last,
  );
}

export const route: Step = {
  id: 'route',
  title: "point the clients' path to the new live colour",
  why: 'all writes at once, never by weight',
  risk: 'none: clients are still held',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    const wanted: Wanted = {
      what: `the clients' path pointed to ${c.live}`,
      next: 'fix what refuses it; the same command continues from here, clients are held meanwhile.',
      every: 20,
      slowest: 1_000,
    };
    await untilPath(c, wanted, () =>
      c.platform.traffic.route(c.ledger.token, c.live, 0).then(
        () => undefined,
        (error: unknown) => {
          // Somebody with a newer lease goes forward.
          if (error instanceof VerdigrisError && error.code === 'busy') throw error;
          return String(error);
        },
      ),
    );
  },
};

export const probe: Step = {
  id: 'probe',
  title: "check through the clients' path which colour answers",
  why: 'a route that is written is not yet a route that works; the system identifier is the same on both, so the colour is asked for',
  risk: 'clients wait until the answer is right',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    const wanted: Wanted = {
      what: `${c.live}, writable, through the clients' path`,
      next: 'fix the path; the same command continues from here, clients are held meanwhile.',
      every: 5,
      slowest: 25,
    };
    await untilPath(c, wanted, () =>
      c.platform.traffic.probe().then(
        async ({ colour, writable }) => {
          if (colour !== c.live) await pointAgain(c, colour);
          return colour === c.live && writable ? undefined : `${colour} answers${writable ? '' : ', read-only'}`;
        },
        (error: unknown) => String(error),
      ),
    );
  },
};

/** Milliseconds between two looks at the path once clients go on. */
const lookEvery = 1_000;

/** While this step works the path is looked at, and once more when it has ended. */
export function watchingPath(step: Step): Step {
  return {
    ...step,
    async run(c) {
      const ended = new AbortController();
      const watching = watch(c, ended.signal);
      try {
        return await step.run(c);
      } finally {
        ended.abort();
        await watching;
      }
    },
  };
}

/** A path that does not answer says nothing of where it leads: what clients need then, no route gives them. */
async function watch(c: Context, ended: AbortSignal): Promise<void> {
  for (let last = false; !last;) {
    await sleep(lookEvery, undefined, { signal: ended }).catch(() => undefined);
    last = ended.aborted;
    const answer = await c.platform.traffic.probe().catch(() => undefined);
    if (answer && answer.colour !== c.live) await pointAgain(c, answer.colour);
  }
}

/** Somebody put the path back where writes are refused by now. What refuses to move it is tried again by the next look. */
async function pointAgain(c: Context, colour: Colour): Promise<void> {
  const done = await c.platform.traffic.route(c.ledger.token, c.live, 0).then(
    () => `pointed to ${c.live} again`,
    (error: unknown) => `it could not be pointed to ${c.live} again: ${describe(error)}`,
  );
  c.emit({ type: 'note', text: `somebody pointed the clients' path to ${colour}; ${done}` });
}
