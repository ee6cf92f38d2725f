import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { other, type Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { TrafficDeclaration } from '../../model/server-kinds.ts';
import type { WrittenRoute } from '../../router/follow/route.ts';
import type { HoldWatch } from '../hold-watch/watch.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Behind } from '../port/platform.ts';
import type { ProbeAnswer, TrafficStatus } from '../port/traffic.ts';
import type { Trial } from '../trial.ts';
import type { WhoAnswers } from '../who-answers.ts';
import { Lookout, type Sighting } from './lookout.ts';
import type { RouteStore, SeenBeat } from './store.ts';

/** Milliseconds for routers to carry out a change, beyond what it may take itself. */
const patience = 2_000;

/** Milliseconds: one that was silent for longer is waited for no more where nothing depends on it. */
const talkative = 1_000;

/** Milliseconds without a word from a router until it counts as none, for people and for preflight. */
const fresh = 3_000;

const pause = 10;

interface Parts {
  readonly store: RouteStore;
  readonly watch: HoldWatch;
  readonly who: WhoAnswers;
}

/**
 * Any number of routers, each a process of its own that follows what is written beside the journal. None is spoken to:
 * each says what it has done, and one that says nothing has stopped believing what it read by the time it is passed over.
 */
export class RoutersTraffic implements OutsideTraffic {
  readonly #declared: TrafficDeclaration;
  readonly #parts: Parts;
  #lookout: Lookout;

  constructor(declared: TrafficDeclaration, parts: Parts) {
    this.#declared = declared;
    this.#parts = parts;
    this.#lookout = new Lookout(parts.store);
  }

  create(live: Colour): Promise<void> {
    return this.#parts.store.first({ live, weights: weightsOf(live, 0), unseen: false, soon: false, held: null });
  }

  async remove(): Promise<void> {
    this.#parts.watch.end();
    await this.#parts.store.forget();
  }

  trials({ live, idle }: Behind): readonly Trial[] {
    return [
      {
        thing: 'the routers',
        fix:
          'Start `verdigris router` with this declaration on each machine that is to have one; its log says what it ' +
          'lacks. It must reach the journal and both servers.',
        use: async () => {
          const beats = await this.#tried();
          if (beats.length === 0) throw new Error('none has said anything lately');
          const wrong = beats.flatMap((beat) => lackOf(beat, idle === undefined ? [live] : [live, idle]));
          if (wrong.length > 0) throw new Error(wrong.join('; '));
        },
      },
    ];
  }

  /** Those that are there, each with what it has found of its servers: one that has just begun is waited for. */
  async #tried(): Promise<SeenBeat[]> {
    for (const end = performance.now() + patience; ; await sleep(pause)) {
      const beats = (await this.#parts.store.beats()).filter(isFresh);
      if (performance.now() > end || !beats.some(({ reach, trouble }) => reach === null && trouble === undefined))
        return beats;
    }
  }

  async status(): Promise<TrafficStatus> {
    const { store } = this.#parts;
    const address = this.#declared.address ?? '';
    const said = (await store.read())?.route;
    const beats = (await store.beats()).filter(isFresh);
    const troubles = beats.flatMap(({ id, trouble }) => (trouble === undefined ? [] : [`${id}: ${trouble}`]));
    const seen = beats.length === 0 ? ['no router has said anything lately'] : troubles;
    return {
      address,
      running: beats.length > 0,
      ...(seen.length > 0
        ? { trouble: { seen: seen.join('; '), repair: 'start `verdigris router`; its log says what it lacks' } }
        : {}),
      ...(said ? ofRoute(said) : {}),
      clients: { blue: sum(beats, 'blue'), green: sum(beats, 'green') },
    };
  }

  /** Learns of each router that it lives, or that it believes nothing any more, while nobody waits. */
  async prepare(token: number): Promise<void> {
    const { store, watch, who } = this.#parts;
    await Promise.all([watch.prepare(), who.prepare(), store.write(token, { soon: true })]);
    // That somebody spoke some time ago says nothing of now.
    this.#lookout = new Lookout(store);
    for (;;) {
      const seen = await this.#lookout.look();
      await this.#lookout.forgetBlind(seen);
      if (seen.every(({ lives, blind }) => lives || blind)) return;
      await sleep(pause);
    }
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    const { store, watch } = this.#parts;
    const budgetMs = Math.round(budget);
    const id = randomUUID();
    try {
      await watch.begin(token, { longest: budgetMs + patience, lease }, async () => {
        await store.write(token, { held: { id, since: new Date().toISOString(), budgetMs } });
        await this.#allHold(id, budgetMs);
      });
    } catch (error) {
      // Where that fails too, the watch goes on trying.
      await this.resume(token).catch(() => undefined);
      throw error;
    }
  }

  async renew(token: number, lease: number): Promise<void> {
    await this.#parts.watch.renew(token, lease);
  }

  async unseen(token: number, everywhere: boolean): Promise<void> {
    await this.#parts.store.write(token, { unseen: everywhere });
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    await this.#applied(await this.#parts.store.write(token, { live, weights: weightsOf(live, canary) }));
  }

  /** All that live must say the same. One that says nothing serves nobody: it was held, or believes nothing. */
  async probe(): Promise<ProbeAnswer> {
    const ask = randomUUID();
    await this.#parts.store.ask(ask);
    const end = performance.now() + patience;
    const answered = ({ beat }: Sighting): boolean =>
      beat.answer?.ask === ask && (beat.answer.found ?? beat.answer.error) !== undefined;
    for (;;) {
      const seen = await this.#lookout.look();
      const said = seen.filter(answered);
      const late = performance.now() > end;
      if (said.length > 0 && (late || seen.every((each) => answered(each) || isQuiet(each))))
        return this.#agreed(said.map(({ beat }) => beat));
      if (late) throw new Error('no router has said which server answers there');
      await sleep(pause);
    }
  }

  async resume(token: number): Promise<void> {
    const route = await this.#parts.store.write(token, { held: null, soon: false });
    this.#parts.watch.end();
    await this.#applied(route);
  }

  /** They know the servers by the declaration. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#parts.watch.leave();
    await this.#parts.store.close();
  }

  /** @throws VerdigrisError whatever the first router says that could not hold; `routers-silent` */
  async #allHold(id: string, budgetMs: number): Promise<void> {
    const end = performance.now() + budgetMs + patience;
    for (;;) {
      const seen = await this.#lookout.look();
      const failed = seen.find(({ beat }) => beat.hold?.id === id && beat.hold.error !== undefined)?.beat;
      if (failed?.hold?.error) throw VerdigrisError.fromJSON(failed.hold.error);
      const holds = ({ beat }: Sighting): boolean => beat.hold?.id === id && beat.hold.held;
      const open = seen.filter((each) => !holds(each) && !each.blind).map(({ beat }) => beat);
      if (open.length === 0 && seen.some(holds)) return;
      if (performance.now() > end) throw silent(open);
      await sleep(pause);
    }
  }

  /** Waits a little for those who still speak: the others read it before they believe anything. */
  async #applied({ seq }: WrittenRoute): Promise<void> {
    for (const end = performance.now() + patience; performance.now() < end; await sleep(pause)) {
      const seen = await this.#lookout.look();
      if (seen.every((each) => each.beat.applied >= seq || isQuiet(each))) return;
    }
  }

  async #agreed(beats: readonly SeenBeat[]): Promise<ProbeAnswer> {
    const answers = await Promise.all(
      beats.map(({ id, answer }) => {
        if (!answer?.found) throw new Error(`by the router ${id}: ${answer?.error}`);
        return this.#parts.who.recognise(answer.found, `by the router ${id}`);
      }),
    );
    const [first] = answers;
    if (!first) throw new Error('somebody has answered');
    const odd = answers.find(({ colour, writable }) => colour !== first.colour || writable !== first.writable);
    if (odd) throw new Error(`the routers do not agree: ${first.colour} and ${odd.colour}`);
    return first;
  }
}

function weightsOf(live: Colour, canary: number): Record<Colour, number> {
  const weights = { [live]: 100 - canary, [other(live)]: canary };
  return { blue: weights['blue'] ?? 0, green: weights['green'] ?? 0 };
}

/** Nothing depends on its answer: it was held, or it reads before it believes anything. */
function isQuiet({ beat, silentMs }: Sighting): boolean {
  return silentMs > talkative || !isFresh(beat);
}

function isFresh({ ageMs }: SeenBeat): boolean {
  return ageMs < fresh;
}

/** What keeps a router from being of use behind the commit point. */
function lackOf({ id, trouble, reach }: SeenBeat, needed: readonly Colour[]): string[] {
  if (trouble !== undefined) return [`${id}: ${trouble}`];
  if (reach === null) return [`${id}: it has not reached any server yet`];
  return needed.flatMap((colour) => {
    const why = reach[colour];
    if (why === null) return [];
    return [`${id}: ${colour}: ${why ?? 'it knows no such server; start it again with the present declaration'}`];
  });
}

function ofRoute({ token, said: { live, weights, held } }: WrittenRoute): Partial<TrafficStatus> {
  return { live, canary: weights[other(live)], held: held ? { since: held.since, token } : undefined };
}

function sum(beats: readonly SeenBeat[], colour: Colour): number {
  return beats.reduce((all, { clients }) => all + clients[colour], 0);
}

function silent(open: readonly SeenBeat[]): VerdigrisError {
  const names = open.map(({ id, address }) => `${id} (${address})`);
  return new VerdigrisError('routers-silent', {
    seen:
      names.length > 0 ? `These routers did not hold their clients: ${names.join(', ')}.` : 'No router holds clients.',
    required: 'every router that may serve clients holds them, and at least one is there.',
    next:
      'see their logs and whether they run; the same command again waits until one that is gone or cut off serves ' +
      'nobody any more. Clients continue, and nothing was changed.',
    facts: { routers: names },
  });
}
