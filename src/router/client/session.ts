import type { Socket } from 'node:net';
import type { Colour } from '../../model/colours.ts';
import type { SessionFacts, SessionState } from '../api.ts';
import { ServerSide, type ClientSide } from '../server/server-side.ts';
import { Conversation } from './conversation.ts';
import { Framer, type Verdict } from '../../wire/framer.ts';
import { gate } from './gate.ts';
import { fatal, front } from '../../wire/messages.ts';
import type { Opening } from '../../wire/opening.ts';
import type { Shared } from '../shared.ts';
import { readLimit, wantedOfClient } from './reading.ts';

/** A client that sends on while it has to wait is read up to here. */
const inboxLimit = 2 * readLimit;

/** One client, for as long as it stays connected, and whichever servers serve it in turn. */
export class Session implements ClientSide {
  readonly user: string;
  readonly database: string;
  readonly reader: boolean;
  /** A stream of changes never becomes idle: it is neither waited for nor moved. */
  readonly replication: boolean;
  /** Came through the operator's own socket: it is let in without a password, and passes a hold. */
  readonly operator: boolean;
  readonly #shared: Shared;
  readonly #client: Socket;
  readonly #place: number;
  readonly #inbox: Framer;
  readonly #talk = new Conversation();
  readonly #server: ServerSide;
  /** The gate has stopped a message. */
  #blocked = false;
  /** The client has said goodbye, and the server has been told. */
  #leaving = false;
  #closed = false;
  /** Since when a hold has kept this client waiting. */
  #waiting: { readonly clock: number; readonly time: number } | undefined;
  #since = Date.now();

  constructor(shared: Shared, client: Socket, opening: Extract<Opening, { kind: 'startup' }>, operator: boolean) {
    const { parameters, raw } = opening;
    this.#shared = shared;
    this.#client = client;
    this.user = parameters.get('user') ?? '';
    this.database = parameters.get('database') ?? this.user;
    this.replication = !['', 'false', 'off', 'no', '0'].includes(parameters.get('replication') ?? '');
    this.reader = shared.table.reads(this.user);
    this.operator = operator;
    this.#place = this.reader ? shared.table.place() : 0;
    this.#talk.parameters.set('application_name', parameters.get('application_name') ?? '');
    if (this.replication) this.#talk.restorable.pin('replication');
    this.#inbox = new Framer({
      wanted: (type) => wantedOfClient[type] ?? 0,
      judge: (type, head, length) => this.#fromClient(type, head, length),
      pass: (bytes) => this.#toServer(bytes),
    });
    this.#server = new ServerSide(shared, raw, this.#talk, this);
  }

  /** Takes what came behind the startup message, and the rest from the socket. */
  begin(rest: Buffer): void {
    const client = this.#client;
    client.on('data', (bytes) => this.#read(bytes));
    client.on('drain', () => this.#server.backend?.socket.resume());
    client.on('end', () => this.#clientEnded());
    client.on('error', () => this.close());
    client.on('close', () => this.close());
    if (rest.length > 0) this.#read(rest);
    this.#server.want();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get colour(): Colour {
    return this.#shared.table.colourFor(this.reader, this.#place);
  }

  /** Where it is, if anywhere. */
  get attachedTo(): Colour | undefined {
    return this.#server.backend?.colour;
  }

  /** A hold has to wait for it. Not for one that is still authenticating: the fence may meet it, and it waits like the others then. */
  get busy(): boolean {
    return !this.#closed && !this.replication && this.#server.welcomed && !this.#talk.requests.idle;
  }

  /** The client's wait counts from the first time that this is asked. */
  heldBack(): boolean {
    if (!this.#shared.hold.covers(this)) return false;
    this.#waiting ??= { clock: performance.now(), time: Date.now() };
    return true;
  }

  /**
   * A client that waits under a hold may have its backend made on the new live colour while the operator is still at work there: it goes no
   * further than the gate, and at the hold's end its statement is not kept waiting for a server process to start. Not before the operator's
   * probe has got through: all wait for its answer, and it would wait for as many starting processes as there are clients.
   */
  get ahead(): boolean {
    const { record, reached } = this.#shared.hold;
    return this.#server.welcomed && this.#blocked && this.colour !== record?.colour && this.colour === reached;
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
    return {
      user: this.user,
      applicationName: this.#talk.parameters.get('application_name') ?? '',
      database: this.database,
      pid: this.#server.backend?.pid ?? null,
      colour: this.attachedTo ?? this.colour,
      state: this.#state,
      since: new Date(this.#waiting?.time ?? this.#since).toISOString(),
    };
  }

  /** The hold ended, or the routes changed: whatever waits is judged anew, whoever is idle in the wrong place leaves it. */
  rerouted(): void {
    this.#server.hurry();
    if (!this.#server.welcomed) this.#server.want();
    this.#settle();
  }

  async cancel(): Promise<void> {
    if (!this.#talk.requests.answered) await this.#server.backend?.cancel();
  }

  close(last?: Buffer): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.stop();
    this.#server.hurry();
    this.#server.detach();
    if (last) this.#client.write(last);
    this.#client.destroySoon();
    this.#shared.ended(this);
  }

  write(bytes: Buffer): void {
    this.#client.write(bytes);
  }

  met(): void {
    this.#inbox.run();
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

  drained(): void {
    this.#settle();
  }

  fromServer(type: number, head: Buffer): Verdict {
    const news = this.#talk.received(type, head);
    const { backend } = this.#server;
    const { idle } = this.#talk.requests;
    if (news.kind === 'ready') {
      if (idle) this.#since = Date.now();
      // After this answer has been written to the client.
      if (idle || this.#blocked) queueMicrotask(() => this.#settle());
    }
    if (news.kind === 'ended') queueMicrotask(() => backend === this.#server.backend && this.#detach(news.reason));
    return news.kind === 'hidden' || news.kind === 'ended' ? 'drop' : 'pass';
  }

  toClient(bytes: Buffer): void {
    // An idle backend is always read: its last words must not wait in the socket while the client's next message goes out.
    if (!this.#client.write(bytes) && !this.#talk.requests.idle) this.#server.backend?.socket.pause();
  }

  lost(cause: Error | undefined): void {
    if (this.#leaving || this.#talk.restorable.pinned || !this.#talk.requests.idle) return this.close();
    this.#shared.log.debug({ ...this.facts(), cause: cause?.message }, 'the backend is gone, the client stays');
    this.#settle();
  }

  #read(bytes: Buffer): void {
    try {
      this.#inbox.push(bytes);
    } catch (error) {
      return this.close(fatal('08P01', (error as Error).message));
    }
    if (this.#inbox.size > inboxLimit) this.#client.pause();
  }

  #fromClient(type: number, head: Buffer, length: number): Verdict {
    const { requests, restorable } = this.#talk;
    const { welcomed, backend, misplaced } = this.#server;
    const step = gate(type, {
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
      this.#talk.sent(type, head, length);
      return 'pass';
    }
    if (step === 'hold') this.heldBack();
    else if (step === 'move') this.#detach('belongs elsewhere');
    else if (step === 'attach') this.#server.want();
    // Not within the framer's run: what it has judged before goes out first.
    else if (step === 'expel') queueMicrotask(() => this.#expel());
    else if (step === 'leave') queueMicrotask(() => this.close());
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
    if (this.#blocked) this.#server.want();
  }

  /** Does what the state of things asks for now, between two requests or with a message stopped at the gate. */
  #settle(): void {
    if (this.#closed) return;
    const { welcomed, misplaced } = this.#server;
    if (welcomed && this.#talk.requests.idle) {
      this.#shared.hold.settled(this);
      if (!this.#talk.restorable.pinned && misplaced) this.#detach('belongs elsewhere');
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
