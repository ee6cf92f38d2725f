import type { Socket } from 'node:net';
import { ProtocolViolation, type FrameVerdict } from '../../wire/framer.ts';
import { front, frontTypes } from '../../wire/messages.ts';
import type { Opening } from '../../wire/opening.ts';
import type { ClientPlace } from '../occupancy.ts';
import { ServerSide, type ClientSide } from '../server/server-side.ts';
import type { Member, Shared } from '../shared.ts';
import { brokenBy, expelledFrom, tooMany, loginTooSlow } from './farewell.ts';
import { gate } from './gate.ts';
import { Inlet } from './inlet.ts';
import { Looking, type LookedAt } from './looking.ts';
import { Reads } from './reads.ts';
import { SessionView } from './session-view.ts';
import { Stranger } from './stranger.ts';
import { whoIs } from './who.ts';

/** An idle client that does not read what comes for it (notifications) is no longer read for beyond this. */
const outboxLimit = 1024 * 1024;

/** One client, for as long as it stays connected, and whichever servers serve it in turn. */
export class Session extends SessionView implements ClientSide, LookedAt, Member {
  protected readonly server: ServerSide;
  protected readonly looking: Looking;
  readonly #client: Socket;
  readonly #stranger: Stranger;
  readonly #inlet: Inlet;
  readonly #reads: Reads;

  constructor(
    shared: Shared,
    client: Socket,
    opening: Extract<Opening, { kind: 'startup' }>,
    /** Undefined for who comes through the operator's own socket. */
    occupied: ClientPlace | undefined,
  ) {
    super(shared, whoIs(opening.parameters, shared.table, occupied === undefined));
    this.#client = client;
    this.#stranger = new Stranger(shared.limits, occupied);
    this.talk.parameters.set('application_name', this.who.applicationName);
    if (this.who.replication) this.talk.restorable.pin('replication');
    this.#inlet = new Inlet(client, shared.taps, {
      judge: (type, head, length) => this.#fromClient(type, head, length),
      pass: (bytes) => this.#toServer(bytes),
    });
    this.server = new ServerSide(shared, opening.raw, this.talk, this);
    this.#reads = new Reads(shared.taps, this.talk, this.who);
    this.looking = new Looking(this.talk, this.server, this);
  }

  /** Takes what came behind the startup message, and the rest from the socket. */
  begin(rest: Buffer): void {
    const client = this.#client;
    client.on('data', (bytes) => this.enter(() => this.#read(bytes)));
    client.on('drain', () => this.enter(() => this.server.backend?.socket.resume()));
    client.on('end', () => this.enter(() => this.#clientEnded()));
    client.on('error', () => this.close());
    client.on('close', () => this.close());
    this.enter(() => {
      if (rest.length > 0) this.#read(rest);
      this.server.want();
    });
  }

  /**
   * Every way into a session, from sockets, timers and promises, goes through here: what is thrown ends this session,
   * and nobody else's.
   */
  enter<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.fail(error as Error);
      return undefined;
    }
  }

  /** The one place where a session ends by what went wrong in it. */
  fail(error: Error): void {
    const facts = { ...this.facts(), cause: error.message };
    if (error instanceof ProtocolViolation)
      this.shared.log.debug(facts, 'closed: the client does not keep to the protocol');
    else this.shared.log.error({ ...facts, stack: error.stack }, 'closed: a fault of the router in one session');
    this.close(brokenBy(error));
  }

  /** The client's wait counts from the first time that this is asked. */
  heldBack(): boolean {
    if (!this.shared.hold.covers(this)) return false;
    if (this.urgent) this.wait.begin();
    return true;
  }

  holdBegins(): void {
    this.enter(() => this.#settle());
  }

  /** What it has run until now may have changed it. */
  distrust(): void {
    if (this.replication || !this.server.welcomed) return;
    this.enter(() => {
      this.talk.restorable.distrust();
      if (this.talk.requests.idle) this.looking.later();
    });
  }

  /**
   * The hold ended, or the routes changed: whatever waits is judged again, whoever is idle in the wrong place leaves
   * it.
   */
  rerouted(): void {
    this.enter(() => {
      this.server.hurry();
      if (!this.server.welcomed || this.talk.restorable.listens) this.server.want();
      this.#settle();
    });
  }

  async cancel(): Promise<void> {
    if (!this.talk.requests.answered) await this.server.backend?.cancel();
  }

  close(last?: Buffer): void {
    if (!this.ends()) return;
    this.looking.stop();
    this.#inlet.stop();
    this.server.hurry();
    this.server.detach();
    if (last) this.#client.write(last);
    this.#client.destroySoon();
    this.#stranger.leaves();
    this.shared.ended(this);
  }

  write(bytes: Buffer): void {
    this.#client.write(bytes);
  }

  met(): void {
    this.#stranger.asked(() => this.close(loginTooSlow()));
    this.#inlet.run();
  }

  /** False: it is one too many of its user, and has been told so. */
  letIn(): boolean {
    const refusal = this.#stranger.loggedIn(this.who.user);
    if (refusal !== undefined) this.close(tooMany(refusal));
    return refusal === undefined;
  }

  arrived(first: boolean): void {
    const key = this.server.backend?.key;
    // The client keeps the first key for life; its requests to cancel find the session by it, wherever that is then.
    if (first && key) this.shared.keyed(key, this);
    if (first) this.#waited();
    else this.shared.moved(this);
    this.since = Date.now();
    this.#settle();
    if (this.operator) this.shared.reached(this.colour);
  }

  looked(alive: boolean): void {
    if (alive) this.#settle();
    else this.close();
  }

  drained(): void {
    this.#settle();
  }

  fromServer(type: number, head: Buffer): FrameVerdict {
    const news = this.talk.received(type, head);
    const { backend } = this.server;
    const { idle } = this.talk.requests;
    if (news.kind === 'ready') {
      if (idle) {
        this.since = Date.now();
        this.looking.later();
      }
      // After this answer has been written to the client.
      if (idle || this.blocked) this.#soon(() => this.#settle());
    }
    if (news.kind === 'ended') this.#soon(() => backend === this.server.backend && this.#detach(news.reason));
    return news.kind === 'hidden' || news.kind === 'ended' ? 'drop' : 'pass';
  }

  toClient(bytes: Buffer): void {
    // An idle backend is read: its last words must not wait in the socket while the client's next message goes out.
    if (this.#client.write(bytes)) return;
    if (!this.talk.requests.idle || this.#client.writableLength > outboxLimit) this.server.backend?.socket.pause();
  }

  lost(cause: Error | undefined): void {
    const { requests, restorable } = this.talk;
    if (this.leaving || restorable.stuck || !requests.idle) return this.close();
    this.shared.log.debug({ ...this.facts(), cause: cause?.message }, 'the backend is gone, the client stays');
    if (restorable.listens) this.server.want();
    this.#settle();
  }

  #soon(work: () => void): void {
    queueMicrotask(() => this.enter(work));
  }

  #read(bytes: Buffer): void {
    if (!this.server.welcomed) this.#stranger.sent(bytes.length);
    this.#inlet.push(bytes);
  }

  #fromClient(type: number, head: Buffer, length: number): FrameVerdict {
    const { requests, restorable } = this.talk;
    const { welcomed, backend, misplaced } = this.server;
    if (!frontTypes.has(type) || (welcomed && type === front.password))
      throw new ProtocolViolation(`invalid frontend message type ${type}`);
    const step = this.looking.underWay
      ? 'wait'
      : gate(type, {
          welcomed,
          attached: backend !== undefined,
          held: this.shared.hold.covers(this),
          misplaced,
          pinned: restorable.pinned,
          harmless: this.reader || this.replication,
          requests,
        });
    this.blocked = step !== 'pass' && step !== 'drop';
    if (step === 'pass') {
      this.#waited();
      if (type === front.terminate) this.leaving = true;
      if (requests.idle) this.since = Date.now();
      if (type === front.query || type === front.execute || type === front.call)
        this.shared.count(this.attachedTo ?? this.colour, this.reader);
      if (this.shared.taps.open && !this.operator && this.attachedTo === this.shared.table.live)
        this.#reads.sees(type, head, length);
      this.talk.sent(type, head, length, this.shared.unseenEverywhere && !this.replication);
      return 'pass';
    }
    if (step === 'hold') this.heldBack();
    else if (step === 'move') this.#move();
    else if (step === 'attach') this.server.want();
    // Not within the framer's run: what it has judged before goes out first.
    else if (step === 'expel') this.#soon(() => this.#expel());
    else if (step === 'leave') this.#soon(() => this.close());
    return step === 'drop' ? 'drop' : 'wait';
  }

  #toServer(bytes: Buffer): void {
    const { backend } = this.server;
    if (backend && !backend.socket.write(bytes)) this.#client.pause();
  }

  #clientEnded(): void {
    const { backend } = this.server;
    this.leaving = true;
    // What waits here of a client that has gone is not done.
    if (backend && !this.blocked) backend.socket.end();
    else this.close();
  }

  #detach(reason: string): void {
    this.shared.log.debug({ ...this.facts(), reason }, 'detached');
    this.server.detach();
    if (this.blocked || this.talk.restorable.listens) this.server.want();
  }

  /** To the server that it belongs to; what is not known of its state is looked at first. */
  #move(): void {
    if (this.talk.restorable.unseen) this.#soon(() => this.looking.now());
    else this.#detach('belongs elsewhere');
  }

  /** Does what the state of things asks for now, between two requests or with a message stopped at the gate. */
  #settle(): void {
    if (this.closed || this.looking.underWay) return;
    const { hold } = this.shared;
    const { restorable, requests } = this.talk;
    const { welcomed, misplaced, backend } = this.server;
    if (welcomed && requests.idle) {
      if (restorable.unseen && backend && (misplaced || hold.covers(this))) return this.looking.now();
      hold.settled(this);
      if (!restorable.pinned && misplaced) this.#detach('belongs elsewhere');
    }
    this.#inlet.run();
    this.#inlet.readOn(this.server.backend?.socket.writableNeedDrain);
  }

  #waited(): void {
    const waited = this.wait.end();
    if (waited !== undefined) this.shared.hold.waited(waited);
  }

  /** A second line behind the fence: no session writes to a colour that is not live, whatever keeps it there. */
  #expel(): void {
    const facts = this.facts();
    this.shared.log.warn({ ...facts, pins: this.pins }, 'closed: it is pinned to a colour that is no longer live');
    this.close(expelledFrom(facts.colour, this.pins));
  }
}
