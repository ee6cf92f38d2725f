import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { describe, VerdigrisError } from '../model/errors.ts';
import { colours, type Colour } from '../model/colours.ts';
import { Fencing } from './fencing.ts';
import type { Body, Held, RouterReach } from './api.ts';
import type { RouterConfig } from './config.ts';
import { Deadman } from './deadman.ts';
import { Hold, resumedMeanwhile } from './hold.ts';
import { Keys, type Cancellable } from './keys.ts';
import { Occupancy } from './occupancy.ts';
import type { PasswordSource } from './passwords.ts';
import type { Shared } from './shared.ts';
import type { Session } from './client/session.ts';
import type { ClientTls } from './client/tls.ts';
import type { Store } from './store.ts';
import { RouteTable } from './table.ts';
import { StandbyWatch } from './standby-watch.ts';
import { Taps } from './taps.ts';
import { reachServer } from './server/reach.ts';
import { Turns } from './server/turns.ts';
import { notHeld } from '../model/failures.ts';

/** The sessions, and the commands that act on all of them. */
export class Router implements Shared {
  readonly config: RouterConfig;
  readonly table: RouteTable;
  readonly hold: Hold;
  readonly limits: RouterConfig['limits'];
  readonly log: Logger;
  readonly taps = new Taps();
  readonly turns = new Turns(availableParallelism());
  readonly sessions = new Set<Session>();
  readonly occupancy: Occupancy;
  /** With which clients are offered TLS. */
  readonly tls: ClientTls | undefined;
  readonly statements = { blue: { reader: 0, writer: 0 }, green: { reader: 0, writer: 0 } };
  moves = 0;
  unseenEverywhere = false;
  readonly #keys = new Keys();
  readonly #passwords: PasswordSource;
  readonly #fencing: Fencing;
  readonly #store: Store;
  readonly #deadman: Deadman;
  readonly #standbys: StandbyWatch;

  constructor(config: RouterConfig, store: Store, log: Logger, passwords: PasswordSource, tls?: ClientTls) {
    this.config = config;
    this.limits = config.limits;
    this.log = log;
    this.tls = tls;
    this.occupancy = new Occupancy(config.limits);
    this.#store = store;
    this.#passwords = passwords;
    // Commands that change the routes or end the hold follow each other.
    this.#fencing = new Fencing(() => this.token);
    this.table = new RouteTable(config.readers, store.state);
    this.hold = new Hold(this.table);
    this.#standbys = new StandbyWatch(this.table, config.readers, passwords, log, () => this.#reroute());
    this.#standbys.look();
    this.#deadman = new Deadman(
      config,
      log,
      () => {
        this.#release('dead man').catch((err: unknown) =>
          log.error({ err }, 'the end of the hold could not be written down'),
        );
      },
      () => this.hold.record?.token,
    );
    const { hold } = store.state;
    if (!hold) return;
    log.warn({ hold }, 'the router stopped while it held: it starts holding');
    this.hold.begin(hold, []);
    // The clock may have been set meanwhile: never longer than it was given when it was written.
    this.#deadman.set(Math.min(Math.max(hold.expires - Date.now(), 0), hold.expires - hold.since));
  }

  /** Highest fencing token seen. */
  get token(): number {
    return this.#store.state.token;
  }

  add(session: Session): void {
    this.sessions.add(session);
    this.log.debug({ ...session.facts() }, 'session begins');
  }

  passwordOf(role: string, colour: Colour): Promise<string | undefined> {
    return this.#passwords.of(role, colour);
  }

  count(colour: Colour, reader: boolean): void {
    this.statements[colour][reader ? 'reader' : 'writer']++;
  }

  keyed(key: Buffer, session: Session): void {
    this.#keys.give(key, session);
  }

  /** The session whose client was given this key. */
  byKey(key: Buffer): Cancellable | undefined {
    return this.#keys.owner(key);
  }

  moved(session: Session): void {
    this.moves++;
    this.log.debug({ ...session.facts() }, 'moved');
  }

  reached(colour: Colour): void {
    if (this.hold.reach(colour)) this.#reroute();
  }

  ended(session: Session): void {
    if (!this.sessions.delete(session)) return;
    this.#keys.forget(session);
    this.hold.settled(session);
    this.log.debug({ ...session.facts() }, 'session ends');
  }

  /**
   * Resolves when none of the live colour's clients is busy and the hold is durable. Otherwise lets all go on and
   * rejects. A hold that is on already is taken over.
   */
  async holdAll({ token, budgetMs, leaseMs }: Body<'hold'>, signal: AbortSignal): Promise<Held> {
    this.#fencing.admit(token);
    const from = performance.now();
    const expires = Date.now() + budgetMs + leaseMs;
    const taken = this.hold.take({ token, expires });
    const record = taken ?? { token, since: Date.now(), expires, colour: this.table.live };
    if (!taken) this.hold.begin(record, this.sessions);
    this.#deadman.set(budgetMs + leaseMs);
    try {
      // Written down while the clients are still waited for: it costs the write pause nothing.
      await Promise.all([
        this.#store.save({ token: this.#highest(token), hold: record }),
        this.hold.drained(budgetMs, signal),
      ]);
    } catch (error) {
      this.log.warn({ token, err: error }, 'the hold failed');
      // Somebody who took this hold over in the meantime keeps it.
      if (this.hold.record?.token === token)
        await this.#release('the hold failed').catch((err: unknown) =>
          this.log.error({ err }, 'the end of the hold could not be written down'),
        );
      throw error;
    }
    const waitedMs = performance.now() - from;
    const lease = this.hold.take({ token, expires: Date.now() + leaseMs });
    if (!lease) throw resumedMeanwhile();
    this.#deadman.set(leaseMs);
    this.log.info({ token, waitedMs, leaseMs, sessions: this.sessions.size }, 'held');
    return { waitedMs, expires: new Date(lease.expires).toISOString() };
  }

  renew({ token, leaseMs }: Body<'renew'>): Promise<void> {
    return this.#fencing.inTurn(token, async () => {
      const record = this.hold.take({ token, expires: Date.now() + leaseMs });
      if (!record) {
        throw notHeld('The router holds nobody: the hold has ended.');
      }
      this.#deadman.set(leaseMs);
      await this.#store.save({ token: this.#highest(token), hold: record });
    });
  }

  /** Durable before the first client follows it. */
  route({ token, live, weights }: Body<'route'>): Promise<void> {
    return this.#fencing.inTurn(token, async () => {
      if (!this.table.upstreams[live]) throw noServer(live);
      await this.#store.save({ token: this.#highest(token), live, weights });
      Object.assign(this.table, { live, weights });
      this.log.info({ token, live, weights }, 'routed');
      this.#standbys.look();
      await this.#rerouted();
    });
  }

  /** Sessions that are idle are looked at from now on, so that a hold has less to look at. */
  unseen({ token, everywhere }: Body<'unseen'>): Promise<void> {
    return this.#fencing.inTurn(token, async () => {
      const begins = everywhere && !this.unseenEverywhere;
      this.unseenEverywhere = everywhere;
      await this.#store.save({ token: this.#highest(token) });
      for (const session of begins ? this.sessions : []) session.distrust();
    });
  }

  /** Whether clients could be connected to each server from here, now. */
  async reach(): Promise<RouterReach> {
    const known = colours.flatMap((colour) => {
      const upstream = this.table.upstreams[colour];
      return upstream ? [{ colour, upstream }] : [];
    });
    const found = known.map(async ({ colour, upstream }) => [
      colour,
      await reachServer(colour, upstream).then(() => null, describe),
    ]);
    return Object.fromEntries(await Promise.all(found)) as RouterReach;
  }

  upstreams({ token, blue, green }: Body<'upstreams'>): Promise<void> {
    return this.#fencing.inTurn(token, async () => {
      if (!{ blue, green }[this.table.live]) throw noServer(this.table.live);
      await this.#store.save({ token: this.#highest(token), upstreams: { blue, green } });
      this.table.upstreams = { blue, green };
      this.#passwords.forget();
      this.log.info({ token, blue, green }, 'servers');
      this.#standbys.look();
      await this.#rerouted();
    });
  }

  resume({ token }: Body<'resume'>): Promise<void> {
    return this.#fencing.inTurn(token, async () => {
      await this.#release('resumed', token);
    });
  }

  /** Whoever waited for what is known now is judged once more. */
  again(): void {
    this.#passwords.forget();
    this.#reroute();
  }

  /** Ends every session. What is held stays held for the next start. */
  close(last: Buffer): void {
    this.#deadman.set(undefined);
    this.#standbys.end();
    this.turnOut(last);
  }

  /** Ends every session, with these last words. */
  turnOut(last: Buffer): void {
    for (const session of this.sessions) session.close(last);
  }

  /** The clients go first, the file follows: a crash between the two holds them again, which is the safe side. */
  async #release(why: string, token = this.token): Promise<void> {
    const { record } = this.hold;
    await settled();
    this.hold.end();
    this.#deadman.set(undefined);
    this.#reroute();
    if (record)
      this.log.info({ token, why, live: this.table.live, pauseMs: Date.now() - record.since }, 'clients go on');
    await this.#store.save({ token: this.#highest(token), hold: null });
  }

  /** Those for whom somebody waits come before those who merely listen. */
  #reroute(): void {
    const sessions = [...this.sessions].sort((one, other) => Number(other.urgent) - Number(one.urgent));
    for (const session of sessions) session.rerouted();
  }

  async #rerouted(): Promise<void> {
    await settled();
    this.#reroute();
  }

  #highest(token: number): number {
    return Math.max(this.token, token);
  }
}

/**
 * Two turns of the event loop: everything that had reached the sockets before this call has then been read, so that no
 * message is sent on to a backend whose farewell already lies in our own buffers.
 */
async function settled(): Promise<void> {
  await turn();
  await turn();
}

function noServer(colour: Colour): VerdigrisError {
  return new VerdigrisError('no-upstream', {
    seen: `The router knows no server of ${colour}.`,
    required: 'a server for the colour that takes writes.',
    next: `tell the router where ${colour} listens (/upstreams) first.`,
  });
}
