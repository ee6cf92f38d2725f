/** What one look at a pooler's console shows. */
export interface PoolerLook {
  /** A database of ours is paused. */
  readonly paused: boolean;
  /**
   * Connections that hold: how long their silence is suffered (ms), and a sign that changes with each of their
   * requests.
   */
  readonly holders: readonly { readonly token: number; readonly lease: number; readonly sign: string }[];
}

/** Milliseconds for a pause that no connection ever claimed: somebody paused by hand. */
const unclaimed = 3_000;
/**
 * Milliseconds after the holder's connections have closed. Whoever lets go in order resumes first, so this one has
 * died.
 */
const closed = 500;
/** PgBouncer tells the time of a request in whole seconds. */
const resolution = 1_000;

/**
 * Decides when a hold is nobody's any more: its connection is gone, or silent for longer than it said. By its own clock
 * and its own looks only, so that neither another machine's clock nor the operator's word is needed.
 */
export class Vigil {
  #sign: string | undefined;
  #since = 0;
  #lease = unclaimed;
  #token: number | undefined;

  /** The fencing token of whoever held last; none where nobody claimed the pause. */
  get token(): number | undefined {
    return this.#token;
  }

  /**
   * True where the clients are held and nobody is there who would let them go. `now` in ms, of a clock that never
   * jumps.
   */
  overdue({ paused, holders }: PoolerLook, now: number): boolean {
    if (!paused) {
      this.#sign = undefined;
      this.#token = undefined;
      return false;
    }
    const sign = holders
      .map((holder) => holder.sign)
      .sort()
      .join(' ');
    if (sign !== this.#sign) {
      this.#since = now;
      this.#lease =
        holders.length > 0
          ? Math.max(...holders.map(({ lease }) => lease)) + resolution
          : this.#token === undefined
            ? unclaimed
            : closed;
      if (holders.length > 0) this.#token = Math.max(...holders.map(({ token }) => token));
      this.#sign = sign;
    }
    return now - this.#since > this.#lease;
  }
}
