import { when } from '../model/when.ts';
import type { Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { pauseTimeout } from '../model/failures.ts';
import type { SessionFacts } from './api.ts';
import type { HoldRecord } from './store.ts';
import type { RouteTable } from './table.ts';

/** What a hold needs of a session. */
export interface Holdable {
  /** A hold has to wait for it. */
  readonly busy: boolean;
  /** Came through the operator's own socket, and passes a hold. */
  readonly operator: boolean;
  readonly reader: boolean;
  readonly replication: boolean;
  /** Where it is, if anywhere. */
  readonly attachedTo: Colour | undefined;
  /** Where it should be now. */
  readonly colour: Colour;
  facts(): SessionFacts;
  /** What has to be known of it before it may go to another server is asked now; it is busy meanwhile. */
  holdBegins(): void;
}

/**
 * Keeps the clients of the live colour from beginning anything new, and knows when the last of them has ended what it
 * had begun.
 */
export class Hold {
  readonly #table: RouteTable;
  /** Those who were busy when the hold began and still are. Nobody is added: at the gate, idle ones stop. */
  readonly #busy = new Set<Holdable>();
  /** Whether nobody knows which colour is live: then nothing new begins, as in a hold. */
  blind: () => boolean = () => false;
  #record: HoldRecord | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  #longestWait = 0;
  #count = 0;
  #reached: Colour | undefined;

  constructor(table: RouteTable) {
    this.#table = table;
  }

  get record(): HoldRecord | undefined {
    return this.#record;
  }

  /** Holds that have begun. */
  get count(): number {
    return this.#count;
  }

  /** Milliseconds; of the hold that is on, or the last one. */
  get longestWait(): number {
    return this.#longestWait;
  }

  /** The colour that the operator has come to through the router during this hold. */
  get reached(): Colour | undefined {
    return this.#reached;
  }

  /** True where it is news. */
  reach(colour: Colour): boolean {
    const news = this.#record !== undefined && this.#reached !== colour;
    if (news) this.#reached = colour;
    return news;
  }

  begin(record: HoldRecord, sessions: Iterable<Holdable>): void {
    this.#record = record;
    this.#count++;
    this.#reached = undefined;
    this.#longestWait = 0;
    this.#busy.clear();
    for (const session of sessions) {
      if (!this.covers(session)) continue;
      session.holdBegins();
      if (session.busy) this.#busy.add(session);
    }
  }

  /** Another token or another end, for the same hold. */
  take(change: Pick<HoldRecord, 'token' | 'expires'>): HoldRecord | undefined {
    return this.#record && (this.#record = { ...this.#record, ...change });
  }

  end(): void {
    this.#record = undefined;
    this.#busy.clear();
    this.#drained?.reject(resumedMeanwhile());
    this.#drained = undefined;
  }

  /** Readers that another colour serves go on; so does what the operator sends past the hold. */
  covers(session: Holdable): boolean {
    if (session.operator) return false;
    const record = this.#record ?? (this.blind() ? { colour: this.#table.live } : undefined);
    if (!record) return false;
    const at = session.attachedTo;
    if (session.replication) return at === undefined;
    if (!session.reader || at === record.colour) return true;
    // A reader without a backend waits unless it goes to a colour that took no part: neither live before nor now.
    return at === undefined && (session.colour === record.colour || session.colour === this.#table.live);
  }

  /** The session is idle, or gone. */
  settled(session: Holdable): void {
    if (!this.#busy.has(session) || session.busy) return;
    this.#busy.delete(session);
    if (this.#busy.size === 0) this.#drained?.resolve();
  }

  /** A client's wait is over. */
  waited(milliseconds: number): void {
    this.#longestWait = Math.max(this.#longestWait, milliseconds);
  }

  /**
   * Rejects with `pause-timeout` after `budget` milliseconds, and when `signal` aborts; the hold itself is still on
   * then.
   */
  async drained(budget: number, signal: AbortSignal): Promise<void> {
    if (this.#busy.size === 0) return;
    const drained = (this.#drained ??= Promise.withResolvers<void>());
    const abort = () => drained.reject(callerGone());
    const timer = setTimeout(() => drained.reject(timedOut(budget, this.#blockers())), budget);
    signal.addEventListener('abort', abort);
    try {
      await drained.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      this.#drained = undefined;
    }
  }

  #blockers(): SessionFacts[] {
    return [...this.#busy].map((session) => session.facts()).sort((one, two) => one.since.localeCompare(two.since));
  }
}

function timedOut(budget: number, blockers: readonly SessionFacts[]): VerdigrisError {
  const lines = blockers.map(
    ({ user, applicationName, database, pid, state, since }) =>
      `${user}@${database} (${applicationName || 'no application_name'}), pid ${pid ?? 'none'}, ${state} since ${when(since)}`,
  );
  return pauseTimeout(budget, lines, blockers);
}

function callerGone(): VerdigrisError {
  return new VerdigrisError('hold-abandoned', {
    seen: 'The caller went away while the hold was waiting.',
    required: 'a caller that waits for the answer.',
    next: 'hold again.',
  });
}

/** Before it was granted. */
export function resumedMeanwhile(): VerdigrisError {
  return new VerdigrisError('hold-ended', {
    seen: 'The hold was ended while it was still waiting for clients.',
    required: 'one operator at a time.',
    next: "see in the router's log who ended it, then run the same command again.",
  });
}
