import type { RouteStore, SeenBeat } from './store.ts';

/** Milliseconds beyond a router's own limit: two machines' clocks do not run alike to the last bit. */
const margin = 1_000;

/** A router, as far as this process has seen it. */
export interface Sighting {
  readonly beat: SeenBeat;
  /** For how long it has said nothing new, by this process's clock alone; milliseconds. */
  readonly silentMs: number;
  /** It has said something new since it was first seen here. */
  readonly lives: boolean;
  /** It believes nothing of what it read: it lets nobody begin anything, until it has read again. */
  readonly blind: boolean;
}

/**
 * Knows of each router how long it has been silent, by looking; clocks of other machines are not asked. What a router
 * read before its last beat it believes for `trustMs` from that beat at most, and that was before it was first seen here.
 */
export class Lookout {
  readonly #store: RouteStore;
  readonly #seen = new Map<string, { readonly beat: string; readonly since: number; readonly lives: boolean }>();

  constructor(store: RouteStore) {
    this.#store = store;
  }

  async look(): Promise<Sighting[]> {
    const from = performance.now();
    const beats = await this.#store.beats();
    const now = performance.now();
    for (const id of this.#seen.keys()) if (!beats.some((each) => each.id === id)) this.#seen.delete(id);
    return beats.map((beat) => {
      const before = this.#seen.get(beat.id);
      const same = before?.beat === beat.beat;
      const seen = same ? before : { beat: beat.beat, since: now, lives: before !== undefined };
      this.#seen.set(beat.id, seen);
      const silentMs = Math.max(0, from - seen.since);
      return { beat, silentMs, lives: seen.lives, blind: silentMs > beat.trustMs + margin };
    });
  }

  /** One that is blind need not be waited for again: where it comes back, it says so before it reads. */
  async forgetBlind(seen: readonly Sighting[]): Promise<void> {
    for (const { beat, blind } of seen) if (blind) await this.#store.drop(beat.id, beat.beat);
  }
}
