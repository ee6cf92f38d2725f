import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { staleToken } from '../../model/failures.ts';
import type { Colour } from '../../model/colours.ts';
import type { Router } from '../router.ts';
import type { RouterReach } from '../api.ts';
import { routerStatus } from '../status.ts';
import { noRoute, type Beat, type WrittenRoute, type Sight } from './route.ts';

/** Milliseconds between two looks, and where clients wait for what is seen. */
const usual = 200;
const hurried = 15;

/** Milliseconds for which an announced hold is waited for. */
const soonLimit = 60_000;

/** Milliseconds between two trials of the way to the servers. */
const reachEvery = 5_000;

/** The hold of a router that follows has no end of its own: ten years. */
const noEnd = 10 * 365 * 86_400_000;

/** What a follower has the router's listener do. */
export interface Doors {
  open(): Promise<void>;
  /** Every client's connection ends; none is taken. */
  shut(): void;
}

export interface FollowerOptions {
  readonly id: string;
  readonly address: string;
  readonly trustMs: number;
  readonly holdMs: number;
  /** Asks through the router, past any hold, which server answers. */
  readonly probe: () => Promise<NonNullable<NonNullable<Beat['answer']>['found']>>;
}

type Holding = NonNullable<Beat['hold']>;

/**
 * Has a router do what is written down for all of them, and nothing that it has not read within `trustMs`. It says that
 * it is there first and reads afterwards: whoever wrote a hold and sees no newer beat knows that this router will read
 * of the hold before it believes anything again.
 */
export class Follower {
  readonly #router: Router;
  readonly #sight: Sight;
  readonly #doors: Doors;
  readonly #options: FollowerOptions;
  /** Until when what was read may be believed, by a clock that nobody sets. */
  #trusted = Number.NEGATIVE_INFINITY;
  #applied = 0;
  #hold: Holding | null = null;
  #answer: Beat['answer'] = null;
  #reach: RouterReach | null = null;
  #reached = Number.NEGATIVE_INFINITY;
  #soonSince: number | undefined;
  #trouble: string | undefined;
  #blindSince: number | undefined = performance.now();
  #open = false;
  #served = false;

  constructor(router: Router, sight: Sight, doors: Doors, options: FollowerOptions) {
    this.#router = router;
    this.#sight = sight;
    this.#doors = doors;
    this.#options = options;
    router.hold.blind = () => performance.now() > this.#trusted;
  }

  /** Until the signal; clients are served from the first look that succeeds. */
  async run(signal: AbortSignal): Promise<void> {
    const watch = setInterval(() => this.#patience(), 100);
    try {
      while (!signal.aborted) {
        const route = await this.#look();
        await sleep(this.#pause(route), undefined, { signal }).catch(() => undefined);
      }
    } finally {
      clearInterval(watch);
      this.#trusted = Number.NEGATIVE_INFINITY;
      this.#doors.shut();
      await this.#sight.leave(this.#options.id).catch(() => undefined);
    }
  }

  async #look(): Promise<WrittenRoute | undefined> {
    const from = performance.now();
    try {
      await this.#sight.beat(this.#beat());
      const seen = await this.#sight.read();
      if (!seen) throw noRoute();
      await this.#apply(seen.route);
      this.#ask(seen.ask);
      this.#tryReach();
      if (this.#trouble !== undefined) this.#router.log.info('the route is seen again');
      this.#trouble = undefined;
      this.#trusted = from + this.#options.trustMs;
      await this.#sighted();
      return seen.route;
    } catch (error) {
      // Its port is another's.
      if (!this.#served && error instanceof VerdigrisError && error.id === 'port-taken') throw error;
      const trouble = describe(error);
      if (trouble !== this.#trouble) this.#router.log.warn({ trouble }, 'the route cannot be followed');
      this.#trouble = trouble;
      return undefined;
    }
  }

  async #apply({ token, seq, said }: WrittenRoute): Promise<void> {
    const router = this.#router;
    if (token < router.token) throw staleToken('this router', token, router.token);
    const { held, live, weights, unseen } = said;
    // Before anything else: a route that moved meanwhile is for clients who wait.
    if (held && held.id !== this.#hold?.id) this.#begin(held.id, token, held.budgetMs);
    const { table } = router;
    if (table.live !== live || table.weights.blue !== weights.blue || table.weights.green !== weights.green)
      await router.route({ token, live, weights });
    if (router.unseenEverywhere !== unseen) await router.unseen({ token, everywhere: unseen });
    if (!held) this.#hold = null;
    if (!held && router.hold.record) await router.resume({ token });
    this.#applied = seq;
  }

  #begin(id: string, token: number, budgetMs: number): void {
    const hold: Holding = (this.#hold = { id, held: false });
    this.#router.holdAll({ token, budgetMs, leaseMs: noEnd }, new AbortController().signal).then(
      () => Object.assign(hold, { held: true }),
      (error: unknown) =>
        Object.assign(hold, { error: error instanceof VerdigrisError ? error.toJSON() : { seen: describe(error) } }),
    );
  }

  #ask(ask: string | undefined): void {
    if (ask === undefined || ask === this.#answer?.ask) return;
    const answer: NonNullable<Beat['answer']> = { ask };
    this.#answer = answer;
    this.#options.probe().then(
      (found) => Object.assign(answer, { found }),
      (error: unknown) => Object.assign(answer, { error: describe(error) }),
    );
  }

  #tryReach(): void {
    if (performance.now() - this.#reached < reachEvery) return;
    this.#reached = performance.now();
    this.#router.reach().then(
      (reach) => (this.#reach = reach),
      () => undefined,
    );
  }

  #beat(): Beat {
    const { sessions } = routerStatus(this.#router);
    const count = (colour: Colour): number => Object.values(sessions[colour]).reduce((sum, each) => sum + each, 0);
    const { id, address, trustMs } = this.#options;
    return {
      ...{ id, address, trustMs, beat: randomUUID(), applied: this.#applied, hold: this.#hold, answer: this.#answer },
      reach: this.#reach,
      clients: { blue: count('blue'), green: count('green') },
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  #pause(route: WrittenRoute | undefined): number {
    if (!route) return usual;
    const { held, soon } = route.said;
    if (!soon) this.#soonSince = undefined;
    else this.#soonSince ??= performance.now();
    const awaited = this.#soonSince !== undefined && performance.now() - this.#soonSince < soonLimit;
    return held || awaited ? hurried : usual;
  }

  async #sighted(): Promise<void> {
    if (this.#blindSince !== undefined) this.#router.again();
    this.#blindSince = undefined;
    if (this.#open) return;
    await this.#doors.open();
    this.#open = this.#served = true;
  }

  /** Clients wait for a while where nothing is seen; then they are told, and may come in by another router. */
  #patience(): void {
    if (!this.#router.hold.blind()) return;
    if (this.#blindSince === undefined) {
      this.#blindSince = performance.now();
      this.#router.log.warn('the route was not seen for too long: clients wait');
    }
    if (!this.#open || performance.now() - this.#blindSince < this.#options.holdMs) return;
    this.#open = false;
    this.#router.log.warn('the route is still not seen: clients are refused');
    this.#doors.shut();
  }
}
