import { other, type Colour } from '../model/colours.ts';
import { everyLogin } from '../model/logins.ts';
import type { Upstream, Weights } from './config.ts';
import type { RouterState } from './store.ts';

const golden = (Math.sqrt(5) - 1) / 2;

/** Who belongs where. */
export class RouteTable {
  readonly #readers: ReadonlySet<string>;
  #next = Math.random();
  live: Colour;
  weights: Weights;
  upstreams: Readonly<Record<Colour, Upstream | null>>;

  constructor(readers: readonly string[], state: Pick<RouterState, 'live' | 'weights' | 'upstreams'>) {
    this.#readers = new Set(everyLogin(readers));
    this.live = state.live;
    this.weights = state.weights;
    this.upstreams = state.upstreams;
  }

  reads(user: string): boolean {
    return this.#readers.has(user);
  }

  /**
   * A place in [0, 1) that a reader's session keeps for life, so that a change of weights moves only as many sessions
   * as it must. Steps of the golden ratio are spread evenly even over a few sessions, where chance would not be.
   */
  place(): number {
    this.#next = (this.#next + golden) % 1;
    return this.#next;
  }

  /** Readers by weight; everybody else to the live colour, and readers too where their colour has no server. */
  colourFor(reader: boolean, place: number): Colour {
    if (!reader) return this.live;
    const { blue, green } = this.weights;
    const colour: Colour = place * (blue + green) < blue ? 'blue' : 'green';
    return this.upstreams[colour] ? colour : this.upstreams[other(colour)] ? other(colour) : this.live;
  }
}
