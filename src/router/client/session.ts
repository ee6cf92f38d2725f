import type { Socket } from 'node:net';
import type { Colour } from '../../model/colours.ts';
import { ProtocolViolation, Framer, type FrameVerdict } from '../../wire/framer.ts';
import { fatal, front, frontTypes } from '../../wire/messages.ts';
import type { Opening } from '../../wire/opening.ts';
import type { SessionFacts, SessionState } from '../api.ts';
import type { ClientPlace } from '../occupancy.ts';
import { ServerSide, type ClientSide } from '../server/server-side.ts';
import type { Member, Shared } from '../shared.ts';
import { Conversation } from './conversation.ts';
import { gate } from './gate.ts';
import { Looking, type LookedAt } from './looking.ts';
import { readLimit, wantedOfClient } from './reading.ts';
import { bindLimit, Reads } from './reads.ts';
import { whoIs, type Who } from './who.ts';

/** A client that sends on while it has to wait is read up to here. */
const inboxLimit = 2 * readLimit;
/** An idle client that does not read what comes for it (notifications) is no longer read for beyond this. */
const outboxLimit = 1024 * 1024;

/** One client, for as long as it stays connected, and whichever servers serve it in turn. */
export class Session implements ClientSide, LookedAt, Member {
  readonly who: Who;
  readonly #shared: Shared;
  readonly #client: Socket;
  readonly #occupied: ClientPlace | undefined;
  /** Of a reader: where it belongs by the weights. */
  readonly #place: number;
  readonly #inbox: Framer;
  readonly #talk = new Conversation();
  readonly #server: ServerSide;
  readonly #looking: Looking;
  readonly #reads: Reads;
  #strangerBytes = 0;
  #login: NodeJS.Timeout | undefined;
  /** The gate has stopped a message. */
  #blocked = false;
  /** The client has said goodbye, and the server has been told. */
  #leaving = false;
  #closed = false;
  /** Since when a hold has kept this client waiting. */
  #waiting: { readonly clock: number; readonly time: number } | undefined;
  #since = Date.now();

  constructor(
    shared: Shared,
    client: Socket,
    opening: Extract<Opening, { kind: 'startup' }>,
    /** Undefined for who comes through the operator's own socket. */
    occupied: ClientPlace | undefined,
  ) {
    this.#shared = shared;
    this.#client = client;
    this.#occupied = occupied;
    this.who = whoIs(opening.parameters, shared.table, occupied === undefined);
    this.#place = this.who.reader ? shared.table.place() : 0;
    this.#talk.parameters.set('application_name', this.who.applicationName);
    if (this.who.replication) this.#talk.restorable.pin('replication');
    this.#inbox = new Framer({
      wanted: (type) => (type === front.bind && shared.taps.open ? bindLimit : (wantedOfClient[type] ?? 0)),
      judge: (type, head, length) => this.#fromClient(type, head, length),
      pass: (bytes) => this.#toServer(bytes),
    });
    this.#server = new ServerSide(shared, opening.raw, this.#talk, this);
    this.#reads = new Reads(shared.taps, this.#talk, this.who);
    this.#looking = new Looking(this.#talk, this.#server, this);
  }

  /** Takes what came behind the startup message, and the rest from the socket. */
  begin(rest: Buffer): void {
    const client = this.#client;
    client.on('data', (bytes) => this.enter(() => this.#read(bytes)));
    client.on('drain', () => this.enter(() => this.#server.backend?.socket.resume()));
    client.on('end', () => this.enter(() => this.#clientEnded()));
    client.on('error', () => this.close());
    client.on('close', () => this.close());
    this.enter(() => {
      if (rest.length > 0) this.#read(rest);
      this.#server.want();
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
    const violation = error instanceof ProtocolViolation;
    const facts = { ...this.facts(), cause: error.message };
    if (violation) this.#shared.log.debug(facts, 'closed: the client does not keep to the protocol');
    else this.#shared.log.error({ ...facts, stack: error.stack }, 'closed: a fault of the router in one session');
    this.close(fatal(violation ? '08P01' : 'XX000', violation ? error.message : `the router failed: ${error.message}`));
  }

  get closed(): boolean {
    return this.#closed;
  }

  get user(): string {
    return this.who.user;
  }

  get leavesRest(): boolean {
    return this.#blocked || this.#leaving;
  }

  get operator(): boolean {
    return this.who.operator;
  }

  get reader(): boolean {
    return this.who.reader;
  }

  get replication(): boolean {
    return this.who.replication;
  }

  get colour(): Colour {
    return this.#shared.table.colourFor(this.reader, this.#place);
  }

  get attachedTo(): Colour | undefined {
    return this.#server.backend?.colour;
  }

  /** Not while it is still authenticating: the fence may meet it, and it waits like the others then. */
  get busy(): boolean {
    if (this.#closed || this.replication || !this.#server.welcomed) return false;
    return this.#looking.underWay || !this.#talk.requests.idle;
  }

  /** Somebody waits for it: it gets a server before those who merely listen. */
  get urgent(): boolean {
    return this.#blocked || !this.#server.welcomed;
  }

  /** The client's wait counts from the first time that this is asked. */
  heldBack(): boolean {
    if (!this.#shared.hold.covers(this)) return false;
    if (this.urgent) this.#waiting ??= { clock: performance.now(), time: Date.now() };
    return true;
  }

  /**
   * A client that waits under a hold, or listens, may have its backend made on the new live colour while the operator
   * is still at work there: it goes no further than the gate, and at the hold's end its statement is not kept waiting
   * for a server process to start. Not before the operator's probe has got through: all wait for its answer, and it
   * would wait for as many starting processes as there are clients.
   */
  get ahead(): boolean {
    const { record, reached } = this.#shared.hold;
    const wanted = this.#blocked || this.#talk.restorable.listens;
    return this.#server.welcomed && wanted && this.colour !== record?.colour && this.colour === reached;
  }

  /** Why it cannot be moved; empty where it can. */
  get pins(): readonly string[] {
    return this.#talk.restorable.pins;
  }

  get #state(): SessionState {
    if (this.#waiting) return 'waiting';
    if (!this.#server.welcomed) return 'connecting';
    if (!this.#server.backend) return 'detached';
    if (this.#talk.requests.idle) return 'idle';
    return this.#talk.requests.status === 'I' ? 'active' : 'transaction';
  }

  facts(): SessionFacts {
    const { user, database } = this.who;
    return {
      user,
      applicationName: this.#talk.parameters.get('application_name') ?? '',
      database,
      pid: this.#server.backend?.pid ?? null,
      colour: this.attachedTo ?? this.colour,
      state: this.#state,
      since: new Date(this.#waiting?.time ?? this.#since).toISOString(),
    };
  }

  holdBegins(): void {
    this.enter(() => this.#settle());
  }

  /**
   * The hold ended, or the routes changed: whatever waits is judged again, whoever is idle in the wrong place leaves
   * it.
   */
  rerouted(): void {
    this.enter(() => {
      this.#server.hurry();
      if (!this.#server.welcomed || this.#talk.restorable.listens) this.#server.want();
      this.#settle();
    });
  }

  async cancel(): Promise<void> {
    if (!this.#talk.requests.answered) await this.#server.backend?.cancel();
  }

  close(last?: Buffer): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#login);
    this.#looking.stop();
    this.#inbox.stop();
    this.#server.hurry();
    this.#server.detach();
    if (last) this.#client.write(last);
    this.#client.destroySoon();
    this.#occupied?.leave();
    this.#shared.ended(this);
  }

  write(bytes: Buffer): void {
    this.#client.write(bytes);
  }

  met(): void {
    const { loginMs } = this.#shared.limits;
    // What it waits for servers and holds is not the client's time.
    this.#login ??= setTimeout(() => {
      this.close(fatal('57014', 'canceling authentication due to timeout'));
    }, loginMs);
    this.#inbox.run();
  }

  /** False: it is one too many of its user, and has been told so. */
  letIn(): boolean {
    clearTimeout(this.#login);
    const refusal = this.#occupied?.loggedIn(this.who.user);
    if (refusal !== undefined) this.close(fatal('53300', refusal, 'The limit is declared: local.limits.'));
    return refusal === undefined;
  }

  arrived(first: boolean): void {
    const key = this.#server.backend?.key;
    // The client keeps the first key for life; its requests to cancel find the session by it, wherever that is then.
    if (first && key) this.#shared.keyed(key, this);
    if (first) this.#waited();
    else this.#shared.moved(this);
    this.#since = Date.now();
    this.#settle();
    if (this.operator) this.#shared.reached(this.colour);
  }

  looked(alive: boolean): void {
    if (alive) this.#settle();
    else this.close();
  }

  drained(): void {
    this.#settle();
  }

  fromServer(type: number, head: Buffer): FrameVerdict {
    const news = this.#talk.received(type, head);
    const { backend } = this.#server;
    const { idle } = this.#talk.requests;
    if (news.kind === 'ready') {
      if (idle) {
        this.#since = Date.now();
        this.#looking.later();
      }
      // After this answer has been written to the client.
      if (idle || this.#blocked) this.#soon(() => this.#settle());
    }
    if (news.kind === 'ended') this.#soon(() => backend === this.#server.backend && this.#detach(news.reason));
    return news.kind === 'hidden' || news.kind === 'ended' ? 'drop' : 'pass';
  }

  toClient(bytes: Buffer): void {
    // An idle backend is read: its last words must not wait in the socket while the client's next message goes out.
    if (this.#client.write(bytes)) return;
    if (!this.#talk.requests.idle || this.#client.writableLength > outboxLimit) this.#server.backend?.socket.pause();
  }

  lost(cause: Error | undefined): void {
    const { requests, restorable } = this.#talk;
    if (this.#leaving || restorable.stuck || !requests.idle) return this.close();
    this.#shared.log.debug({ ...this.facts(), cause: cause?.message }, 'the backend is gone, the client stays');
    if (restorable.listens) this.#server.want();
    this.#settle();
  }

  #soon(work: () => void): void {
    queueMicrotask(() => this.enter(work));
  }

  #read(bytes: Buffer): void {
    if (!this.#server.welcomed && !this.operator) {
      this.#strangerBytes += bytes.length;
      const { bytesBeforeLogin } = this.#shared.limits;
      if (this.#strangerBytes > bytesBeforeLogin)
        throw new ProtocolViolation(`more than ${bytesBeforeLogin} bytes before the login was over`);
    }
    this.#inbox.push(bytes);
    if (this.#inbox.size > inboxLimit) this.#client.pause();
  }

  #fromClient(type: number, head: Buffer, length: number): FrameVerdict {
    const { requests, restorable } = this.#talk;
    const { welcomed, backend, misplaced } = this.#server;
    if (!frontTypes.has(type) || (welcomed && type === front.password))
      throw new ProtocolViolation(`invalid frontend message type ${type}`);
    const step = this.#looking.underWay
      ? 'wait'
      : gate(type, {
          welcomed,
          attached: backend !== undefined,
          held: this.#shared.hold.covers(this),
          misplaced,
          pinned: restorable.pinned,
          harmless: this.reader || this.replication,
          requests,
        });
    this.#blocked = step !== 'pass' && step !== 'drop';
    if (step === 'pass') {
      this.#waited();
      if (type === front.terminate) this.#leaving = true;
      if (requests.idle) this.#since = Date.now();
      if (type === front.query || type === front.execute || type === front.call)
        this.#shared.count(this.attachedTo ?? this.colour, this.reader);
      if (this.#shared.taps.open && !this.operator && this.attachedTo === this.#shared.table.live)
        this.#reads.sees(type, head, length);
      this.#talk.sent(type, head, length);
      return 'pass';
    }
    if (step === 'hold') this.heldBack();
    else if (step === 'move') this.#move();
    else if (step === 'attach') this.#server.want();
    // Not within the framer's run: what it has judged before goes out first.
    else if (step === 'expel') this.#soon(() => this.#expel());
    else if (step === 'leave') this.#soon(() => this.close());
    return step === 'drop' ? 'drop' : 'wait';
  }

  #toServer(bytes: Buffer): void {
    const { backend } = this.#server;
    if (backend && !backend.socket.write(bytes)) this.#client.pause();
  }

  #clientEnded(): void {
    const { backend } = this.#server;
    this.#leaving = true;
    // What waits here of a client that has gone is not done.
    if (backend && !this.#blocked) backend.socket.end();
    else this.close();
  }

  #detach(reason: string): void {
    this.#shared.log.debug({ ...this.facts(), reason }, 'detached');
    this.#server.detach();
    if (this.#blocked || this.#talk.restorable.listens) this.#server.want();
  }

  /** To the server that it belongs to; what is not known of its state is looked at first. */
  #move(): void {
    if (this.#talk.restorable.unseen) this.#soon(() => this.#looking.now());
    else this.#detach('belongs elsewhere');
  }

  /** Does what the state of things asks for now, between two requests or with a message stopped at the gate. */
  #settle(): void {
    if (this.#closed || this.#looking.underWay) return;
    const { hold } = this.#shared;
    const { restorable, requests } = this.#talk;
    const { welcomed, misplaced, backend } = this.#server;
    if (welcomed && requests.idle) {
      if (restorable.unseen && backend && (misplaced || hold.covers(this))) return this.#looking.now();
      hold.settled(this);
      if (!restorable.pinned && misplaced) this.#detach('belongs elsewhere');
    }
    this.#inbox.run();
    if (this.#inbox.size <= inboxLimit && !this.#server.backend?.socket.writableNeedDrain) this.#client.resume();
  }

  #waited(): void {
    if (this.#waiting) this.#shared.hold.waited(performance.now() - this.#waiting.clock);
    this.#waiting = undefined;
  }

  /** A second line behind the fence: no session writes to a colour that is not live, whatever keeps it there. */
  #expel(): void {
    const facts = this.facts();
    this.#shared.log.warn({ ...facts, pins: this.pins }, 'closed: it is pinned to a colour that is no longer live');
    this.close(
      fatal(
        '57P01',
        `terminating connection: ${facts.colour} is no longer live, and this session cannot move (${this.pins.join(', ')})`,
        'Connect again.',
      ),
    );
  }
}
