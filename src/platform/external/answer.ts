import type { Colour } from '../../model/colours.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import { hasNoAnswer } from '../../postgres/no-answer.ts';
import { isFull } from '../../postgres/refused.ts';

/** A server that others run. `at`: its address, for people. */
interface Asked {
  readonly colour: Colour;
  readonly at: string;
}

/** Whether a server did not answer, or had no connection free. */
export function isSilent(error: unknown): boolean {
  return hasNoAnswer(error) || isFull(error);
}

/** @throws VerdigrisError `external-down` where `work` had no answer of the server. */
export function requireAnswer<T>({ colour, at }: Asked, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (!isSilent(cause)) throw cause;
    throw new VerdigrisError('external-down', {
      seen: `${colour} at ${at} does not answer: ${describe(cause)}.`,
      required: 'a server that answers; Verdigris does not run it.',
      next: 'start it, or restore the network to it; then run the same command again. Nothing was changed.',
      cause,
    });
  });
}

/** Asks until there is an answer, for `limit` ms. */
export async function waitForAnswer({ colour, at }: Asked, ask: () => Promise<unknown>, limit: number): Promise<void> {
  let last: unknown;
  await waitFor(
    () =>
      ask().catch((error: unknown) => {
        if (!isSilent(error)) throw error;
        last = error;
        return undefined;
      }),
    {
      limit,
      every: 50,
      slowest: 500,
      id: 'external-down',
      what: `an answer of ${colour} at ${at}, which others run`,
      next: 'start it, or restore the network to it; then run the same command again.',
    },
    () => describe(last),
  );
}
