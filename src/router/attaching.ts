import type { Colour } from '../model/colours.ts';
import { mayPass, type Arrival, type Target } from './arrive.ts';
import type { Upstream } from './config.ts';

/** What the loop needs of its session. */
export interface Seeker {
  /** Nobody wants a backend any more. */
  readonly closed: boolean;
  /** A hold stands in the way: the loop ends, and is begun anew at the hold's end with its whole limit. */
  readonly held: boolean;
  /** Only one attempt: it is made before its time, and who prepares the server now must not be disturbed by more of them. */
  readonly ahead: boolean;
  /** PostgreSQL has let this client in before. */
  readonly known: boolean;
  /** Asked before each attempt: the routes may have changed. */
  readonly colour: Colour;
  upstream(colour: Colour): Upstream | null;
  reach(target: Target): Promise<Arrival>;
  arrived(arrival: Arrival): void;
  delayed(error: Error): void;
  /** No attempt can succeed, or the limit has passed. */
  failed(colour: Colour, error: Error, outOfTime: boolean): void;
}

const first = 10;
const longest = 250;

/** Tries until a backend is there: a server that starts, a role that the fence still keeps out, is no reason to lose a client. */
export class Attaching {
  readonly #seeker: Seeker;
  readonly #limit: number;
  #running = false;
  #wake: (() => void) | undefined;

  constructor(seeker: Seeker, limit: number) {
    this.#seeker = seeker;
    this.#limit = limit;
  }

  start(): void {
    if (!this.#running) void this.#run();
  }

  /** Something changed: the next attempt is made at once. */
  hurry(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const arrival = await this.#search();
    // Over before the session hears of it: it may be wanted elsewhere by now, and start again.
    this.#running = false;
    if (arrival) this.#seeker.arrived(arrival);
  }

  async #search(): Promise<Arrival | undefined> {
    const seeker = this.#seeker;
    const deadline = performance.now() + this.#limit;
    for (let pause = first; !seeker.closed && !seeker.held; pause = Math.min(2 * pause, longest)) {
      const { colour } = seeker;
      try {
        const upstream = seeker.upstream(colour);
        if (!upstream) throw new Error(`${colour} has no server`);
        return await seeker.reach({ colour, upstream });
      } catch (error) {
        if (seeker.closed) return undefined;
        const outOfTime = performance.now() > deadline;
        if (outOfTime || !mayPass(error, seeker.known)) {
          seeker.failed(colour, error as Error, outOfTime);
          return undefined;
        }
        seeker.delayed(error as Error);
        if (seeker.ahead) return undefined;
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
