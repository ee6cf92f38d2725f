/** One operator at a time. */
export interface LeaseStore {
  /**
   * Throws `lease-held` (busy) with holder and since where somebody else holds it and lives. `gone` is a token whose
   * holder is known to be gone, or to have let go of clients that he held: it is not waited for. The token is above
   * `above` and that of the journal.
   */
  acquire(holder: string, gone?: number, above?: number): Promise<Lease>;
  /** Who holds it now. */
  holder(): Promise<{ readonly holder: string; readonly since: string } | undefined>;
}

/** What its holder has of it. */
export interface Lease {
  /** Grows with every acquisition; whoever has a smaller one is fenced off. */
  readonly token: number;
  /** Milliseconds without renewal after which another may take it; left out where a renewal that fails is final. */
  readonly lasts?: number;
  /** False once somebody else has taken it. */
  renew(): Promise<boolean>;
  /** The next one need not wait. Harmless where somebody else has taken it. */
  release(): Promise<void>;
}
