import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorId } from './error-catalogue.ts';
import { VerdigrisError } from './errors.ts';

export interface WaitOptions {
  /** Milliseconds until the wait is given up. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** First interval between two looks, in ms; it doubles up to `slowest`. */
  readonly every?: number;
  readonly slowest?: number;
  /** For the error: what was waited for, and what to do when it does not come. */
  readonly what: string;
  readonly next: string;
  readonly id?: ErrorId;
}

/** Looks until `look` gives something; throws `timed-out` with the last thing that `explain` said. */
export async function waitFor<T>(
  look: () => Promise<T | undefined>,
  options: WaitOptions,
  explain: () => string = () => '',
): Promise<T> {
  const end = performance.now() + options.limit;
  for (let pause = options.every ?? 2; ; pause = Math.min(pause * 2, options.slowest ?? 250)) {
    const found = await look();
    if (found !== undefined) return found;
    options.signal?.throwIfAborted();
    if (performance.now() >= end) {
      const last = explain();
      throw new VerdigrisError(options.id ?? 'timed-out', {
        seen: `${options.what} did not come within ${options.limit} ms${last ? `: ${last}` : '.'}`,
        required: options.what,
        next: options.next,
        ...(last ? { facts: { cause: last } } : {}),
      });
    }
    await pauseUnless(pause, options.signal);
  }
}

/** Waits so many ms; throws the reason of `signal` once it is aborted: Node's own error names none. */
export async function pauseUnless(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}

/** The work's own end, or an error once so many milliseconds have passed without it; `what` did not answer. */
export function answerWithin<T>(limit: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const stop = whenSilent(limit, () => late.reject(new Error(`no answer${what} within ${limit} ms`)));
  work.catch(() => undefined);
  return Promise.race([work, late.promise]).finally(stop);
}

/** Parts of a limit: between two of them what has arrived is read. */
const parts = 10;

/**
 * Calls back after so many milliseconds in which this process could have read an answer, unless what it returns is
 * called before. Time for which the process itself had no processor counts little: otherwise, on an overloaded machine,
 * an answer that lies in the socket comes too late.
 */
export function whenSilent(limit: number, late: () => void): () => void {
  let left = parts;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    late();
  }, limit / parts);
  return () => clearInterval(timer);
}
