import { isDeepStrictEqual } from 'node:util';
import { other, type Colour } from '../model/colours.ts';
import { everyLogin } from '../model/logins.ts';
import { omit } from '../model/omit.ts';
import type { Upstream, Weights } from './config.ts';
import type { RouterState } from './store.ts';

type Upstreams = Readonly<Record<Colour, Upstream | null>>;

const golden = (Math.sqrt(5) - 1) / 2;

/** Who belongs where. */
export class RouteTable {
  readonly #readers: ReadonlySet<string>;
  #next = Math.random();
  live: Colour;
  weights: Weights;
  /** Standbys that a reader may be on now, by colour. */
  standbys: Readonly<Record<Colour, readonly Upstream[]>> = { blue: [], green: [] };
  #upstreams: Upstreams;
  #primaries: Upstreams;

  constructor(readers: readonly string[], state: Pick<RouterState, 'live' | 'weights' | 'upstreams'>) {
    this.#readers = new Set(everyLogin(readers));
    this.live = state.live;
    this.weights = state.weights;
    this.#upstreams = state.upstreams;
    this.#primaries = primariesOf(state.upstreams);
  }

  get upstreams(): Upstreams {
    return this.#upstreams;
  }

  set upstreams(upstreams: Upstreams) {
    const kept = (colour: Colour) =>
      isDeepStrictEqual(upstreams[colour], this.#upstreams[colour]) ? this.standbys[colour] : [];
    this.standbys = { blue: kept('blue'), green: kept('green') };
    this.#upstreams = upstreams;
    this.#primaries = primariesOf(upstreams);
  }

  /** A share of the readers goes to the other colour. */
  get canary(): boolean {
    return this.weights[other(this.live)] > 0;
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

  primary(colour: Colour): Upstream | null {
    return this.#primaries[colour];
  }

  /** One of the colour's standbys, always the same while the same ones can be used; the primary where none can. */
  standby(colour: Colour, place: number): Upstream | null {
    const standbys = this.canary ? this.standbys[colour] : [];
    // Which colour it is depends on the place itself: its later digits are left.
    return standbys[Math.floor(((place * 1024) % 1) * standbys.length)] ?? this.primary(colour);
  }
}

function primariesOf({ blue, green }: Upstreams): Upstreams {
  return { blue: blue && omit(blue, 'standbys'), green: green && omit(green, 'standbys') };
}
