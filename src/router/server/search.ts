import type { Colour } from '../../model/colours.ts';
import type { Connected, BackendTarget } from './backend.ts';
import { mayPassLater, Refusal } from './refusal.ts';
import type { Upstream } from '../config.ts';

/** What the loop needs of its session. */
export interface SearchOptions {
  /** Nobody wants a backend any more. */
  readonly closed: boolean;
  /** A hold is in the way: the loop ends, and is begun again at the hold's end with its whole limit. */
  readonly held: boolean;
  /**
   * Only one attempt: it is made before its time, and who prepares the server now must not be disturbed by more of
   * them.
   */
  readonly ahead: boolean;
  /** PostgreSQL has let this client in before. */
  readonly known: boolean;
  /** Asked before each attempt: the routes may have changed. */
  readonly colour: Colour;
  upstream(colour: Colour): Upstream | null;
  reach(target: BackendTarget): Promise<Connected>;
  arrived(connected: Connected): void;
  delayed(error: Error): void;
  /** No attempt can succeed, or the limit, in ms, has passed. */
  failed(colour: Colour, error: Error, limit?: number): void;
  /** A fault of the router in any of these. */
  broken(error: Error): void;
}

const first = 10;
const longest = 250;
/** Whoever came past the router asks as often as it likes: the next place is soon taken. */
const longestWhileFull = 50;

/** Milliseconds. */
export interface SearchLimits {
  /** For a server that cannot be reached, that starts, or that is fenced. */
  readonly attachMs: number;
  /** For one that has no free connection. */
  readonly fullMs: number;
}

/**
 * Tries until a backend is there: a server that starts, a role that the fence still keeps out, is no reason to lose a
 * client.
 */
export class Search {
  readonly #options: SearchOptions;
  readonly #limits: SearchLimits;
  #running = false;
  #wake: (() => void) | undefined;

  constructor(options: SearchOptions, limits: SearchLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  start(): void {
    if (!this.#running) this.#run().catch((error: unknown) => this.#options.broken(error as Error));
  }

  /** Something changed: the next attempt is made at once. */
  hurry(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const connected = await this.#search();
    // Over before the session hears of it: it may be wanted elsewhere by now, and start again.
    this.#running = false;
    if (connected) this.#options.arrived(connected);
  }

  async #search(): Promise<Connected | undefined> {
    const options = this.#options;
    const { attachMs, fullMs } = this.#limits;
    const from = performance.now();
    let fullSince: number | undefined;
    for (let pause = first; !options.closed && !options.held; pause = Math.min(2 * pause, longest)) {
      const { colour } = options;
      try {
        const upstream = options.upstream(colour);
        if (!upstream) throw new Error(`${colour} has no server`);
        return await options.reach({ colour, upstream });
      } catch (error) {
        if (options.closed) return undefined;
        const now = performance.now();
        fullSince = error instanceof Refusal && error.full ? (fullSince ?? now) : undefined;
        const passed =
          fullSince !== undefined && now > fullSince + fullMs ? fullMs : now > from + attachMs ? attachMs : undefined;
        if (passed !== undefined || !mayPassLater(error, options.known)) {
          options.failed(colour, error as Error, passed);
          return undefined;
        }
        if (fullSince !== undefined) pause = Math.min(pause, longestWhileFull);
        options.delayed(error as Error);
        if (options.ahead) return undefined;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return undefined;
  }
}
