import { leaseLost } from '../model/failures.ts';
import type { Lease } from '../platform/port/leases.ts';

/** Milliseconds between two renewals. */
const renewEvery = 2_000;

interface Clock {
  /** Milliseconds, of a clock that never jumps. */
  now(): number;
  /** Returns what ends it. */
  every(ms: number, run: () => void): () => void;
}

const machine: Clock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/**
 * Renews a lease until what it returns is called. `lose` is told why, once the lease is somebody else's, or could be
 * before the next renewal: one that fails in between is no reason to stop, as its store may be about to come back.
 */
export function keepLease(lease: Lease, lose: (why: unknown) => void, clock = machine): () => void {
  let renewed = clock.now();
  let why: unknown = leaseLost();
  const loseLate = (): void => {
    if (clock.now() - renewed >= (lease.lasts ?? 0) - renewEvery) lose(why);
  };
  return clock.every(renewEvery, () => {
    const asked = clock.now();
    // A store that hangs says nothing at all.
    if (lease.lasts !== undefined) loseLate();
    lease.renew().then(
      (mine) => {
        if (mine) renewed = asked;
        else lose(leaseLost());
      },
      (error: unknown) => {
        why = error;
        loseLate();
      },
    );
  });
}
