import type { Socket } from 'node:net';
import type { Colour } from '../../../model/colours.ts';
import type { SessionFacts, SessionState } from './api.ts';
import { authenticate, carryOver, Refusal, type Arrival, type Target } from './arrive.ts';
import { Attaching } from './attaching.ts';
import type { Backend } from './backend.ts';
import { Conversation } from './conversation.ts';
import { Framer, type Verdict } from './framer.ts';
import { gate } from './gate.ts';
import { authenticated, back, fatal, front, message, parameter, ready } from './messages.ts';
import type { Opening } from './opening.ts';
import type { Passage } from './passage.ts';
import { readLimit, wantedOfClient } from './reading.ts';

/** A client that sends on while it has to wait is read up to here. */
const inboxLimit = 2 * readLimit;

/** One client, for as long as it stays connected, and whichever servers serve it in turn. */
export class Session {
  readonly user: string;
  readonly database: string;
  readonly reader: boolean;
  /** A stream of changes never becomes idle: it is neither waited for nor moved. */
  readonly replication: boolean;
  /** Came through the operator's own socket: it is let in without a password, and passes a hold. */
  readonly operator: boolean;
  readonly #passage: Passage;
  readonly #client: Socket;
  readonly #startup: Buffer;
  readonly #place: number;
  readonly #inbox: Framer;
  readonly #talk = new Conversation();
  readonly #attaching: Attaching;
  readonly #born = performance.now();
  #backend: Backend | undefined;
  /** The client has had AuthenticationOk. */
  #letIn = false;
  /** The client has had its first ReadyForQuery. */
  #welcomed = false;
  /** The gate has stopped a message. */
  #blocked = false;
  /** The client has said goodbye, and the server has been told. */
  #leaving = false;
  #closed = false;
  /** Since when a hold has kept this client waiting. */
  #waiting: { readonly clock: number; readonly time: number } | undefined;
  #since = Date.now();

  constructor(passage: Passage, client: Socket, opening: Extract<Opening, { kind: 'startup' }>, operator: boolean) {
    const { parameters, raw } = opening;
    this.#passage = passage;
    this.#client = client;
    this.#startup = raw;
    this.user = parameters.get('user') ?? '';
    this.database = parameters.get('database') ?? this.user;
    this.replication = !['', 'false', 'off', 'no', '0'].includes(parameters.get('replication') ?? '');
    this.reader = passage.table.reads(this.user);
    this.operator = operator;
    this.#place = this.reader ? passage.table.place() : 0;
    this.#talk.parameters.set('application_name', parameters.get('application_name') ?? '');
    if (this.replication) this.#talk.carry.pin('replication');
    this.#inbox = new Framer({
      wanted: (type) => wantedOfClient[type] ?? 0,
      judge: (type, head, length) => this.#fromClient(type, head, length),
      pass: (bytes) => this.#toServer(bytes),
    });
    const session = this;
    this.#attaching = new Attaching({
      get closed() { return session.#closed; },
      get held() { return session.#keptWaiting() && !session.#ahead; },
      get ahead() { return session.#keptWaiting() && session.#ahead; },
      get known() { return session.#welcomed; },
      get colour() { return session.colour; },
      upstream: (colour) => passage.table.upstreams[colour],
      reach: (target) => this.#reach(target),
      arrived: (arrival) => this.#arrived(arrival),
      delayed: (error) => {
        this.#backend = undefined;
        passage.log.debug({ ...this.facts(), cause: error.message }, 'no backend yet');
      },
      failed: (colour, error, outOfTime) => this.#failed(colour, error, outOfTime),
    }, passage.limits.attachMs);
  }

  /** Takes what came behind the startup message, and the rest from the socket. */
  begin(rest: Buffer): void {
    const client = this.#client;
    client.on('data', (bytes) => this.#read(bytes));
    client.on('drain', () => this.#backend?.socket.resume());
    client.on('end', () => this.#clientEnded());
    client.on('error', () => this.close());
    client.on('close', () => this.close());
    if (rest.length > 0) this.#read(rest);
    this.#want();
  }

  /** Where the session should be now. */
  get colour(): Colour {
    return this.#passage.table.colourFor(this.reader, this.#place);
  }

  /** Where it is, if anywhere. */
  get attachedTo(): Colour | undefined {
    return this.#backend?.colour;
  }

  /** A hold has to wait for it. */
  get busy(): boolean {
    if (this.#closed || this.replication) return false;
    if (this.#welcomed) return !this.#talk.requests.idle;
    return this.#backend !== undefined && performance.now() - this.#born < this.#passage.limits.authenticationMs;
  }

  /** Why it cannot be moved; empty where it can. */
  get pins(): readonly string[] {
    return this.#talk.carry.pins;
  }

  get #misplaced(): boolean {
    const { colour } = this;
    const should = this.#passage.table.upstreams[colour];
    const is = this.#backend;
    return is !== undefined && (is.colour !== colour || is.upstream.port !== should?.port || is.upstream.sockets !== should.sockets);
  }

  get #state(): SessionState {
    if (this.#waiting) return 'waiting';
    if (!this.#welcomed) return 'connecting';
    if (!this.#backend) return 'detached';
    if (this.#talk.requests.idle) return 'idle';
    return this.#talk.requests.status === 'I' ? 'active' : 'transaction';
  }

  facts(): SessionFacts {
    return {
      user: this.user,
      applicationName: this.#talk.parameters.get('application_name') ?? '',
      database: this.database,
      pid: this.#backend?.pid ?? null,
      colour: this.attachedTo ?? this.colour,
      state: this.#state,
      since: new Date(this.#waiting?.time ?? this.#since).toISOString(),
    };
  }

  /** The hold ended, or the routes changed: whatever waits is judged anew, whoever is idle in the wrong place leaves it. */
  rerouted(): void {
    this.#attaching.hurry();
    if (!this.#welcomed) this.#want();
    this.#settle();
  }

  async cancel(): Promise<void> {
    if (!this.#talk.requests.answered) await this.#backend?.cancel();
  }

  close(last?: Buffer): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.stop();
    this.#attaching.hurry();
    this.#backend?.release();
    this.#backend = undefined;
    if (last) this.#client.write(last);
    this.#client.destroySoon();
    this.#passage.ended(this);
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
    const { requests, carry } = this.#talk;
    const step = gate(type, {
      welcomed: this.#welcomed, attached: this.#backend !== undefined, held: this.#passage.hold.covers(this), misplaced: this.#misplaced,
      pinned: carry.pinned, harmless: this.reader || this.replication, requests,
    });
    this.#blocked = step !== 'pass' && step !== 'drop';
    if (step === 'pass') {
      this.#waited();
      if (type === front.terminate) this.#leaving = true;
      if (requests.idle) this.#since = Date.now();
      if (type === front.query || type === front.execute || type === front.call) this.#passage.count(this.attachedTo ?? this.colour, this.reader);
      this.#talk.sent(type, head, length);
      return 'pass';
    }
    if (step === 'hold') this.#keptWaiting();
    else if (step === 'move') this.#detach('belongs elsewhere');
    else if (step === 'attach') this.#want();
    // Not within the framer's run: what it has judged before goes out first.
    else if (step === 'expel') queueMicrotask(() => this.#expel());
    else if (step === 'leave') queueMicrotask(() => this.close());
    return step === 'drop' ? 'drop' : 'wait';
  }

  #toServer(bytes: Buffer): void {
    if (this.#backend && !this.#backend.socket.write(bytes)) this.#client.pause();
  }

  #clientEnded(): void {
    this.#leaving = true;
    // What waits here of a client that has gone is not done.
    if (this.#backend && !this.#blocked) this.#backend.socket.end();
    else this.close();
  }

  #fromServer(type: number, head: Buffer): Verdict {
    const news = this.#talk.received(type, head);
    const backend = this.#backend;
    const { idle } = this.#talk.requests;
    if (news.kind === 'ready') {
      if (idle) this.#since = Date.now();
      // After this answer has been written to the client.
      if (idle || this.#blocked) queueMicrotask(() => this.#settle());
    }
    if (news.kind === 'ended') queueMicrotask(() => backend === this.#backend && this.#detach(news.reason));
    return news.kind === 'hidden' || news.kind === 'ended' ? 'drop' : 'pass';
  }

  #toClient(bytes: Buffer): void {
    // An idle backend is always read: its last words must not wait in the socket while the client's next message goes out.
    if (!this.#client.write(bytes) && !this.#talk.requests.idle) this.#backend?.socket.pause();
  }

  #gone(cause: Error | undefined): void {
    this.#backend = undefined;
    if (this.#leaving || this.#talk.carry.pinned || !this.#talk.requests.idle) return this.close();
    this.#passage.log.debug({ ...this.facts(), cause: cause?.message }, 'the backend is gone, the client stays');
    this.#settle();
  }

  #detach(reason: string): void {
    this.#passage.log.debug({ ...this.facts(), reason }, 'detached');
    this.#backend?.release();
    this.#backend = undefined;
    if (this.#blocked) this.#want();
  }

  /** Does what the state of things asks for now, between two requests or with a message stopped at the gate. */
  #settle(): void {
    if (this.#closed) return;
    if (this.#welcomed && this.#talk.requests.idle) {
      this.#passage.hold.settled(this);
      if (!this.#talk.carry.pinned && this.#misplaced) this.#detach('belongs elsewhere');
    }
    this.#inbox.run();
    if (this.#inbox.size <= inboxLimit && !this.#backend?.socket.writableNeedDrain) this.#client.resume();
  }

  /** A backend is wanted; under a hold, when that ends. */
  #want(): void {
    if (!this.#closed && !this.#backend && (!this.#keptWaiting() || this.#ahead)) this.#attaching.start();
  }

  /**
   * A client that waits under a hold may have its backend made on the new live colour while the operator is still at work there: it goes no
   * further than the gate, and at the hold's end its statement is not kept waiting for a server process to start.
   */
  get #ahead(): boolean {
    return this.#welcomed && this.#blocked && this.colour !== this.#passage.hold.record?.colour;
  }

  /** Whether a hold covers the session; the client's wait counts from the first time that it is asked. */
  #keptWaiting(): boolean {
    if (!this.#passage.hold.covers(this)) return false;
    this.#waiting ??= { clock: performance.now(), time: Date.now() };
    return true;
  }

  #waited(): void {
    if (this.#waiting) this.#passage.hold.waited(performance.now() - this.#waiting.clock);
    this.#waiting = undefined;
  }

  #reach(target: Target): Promise<Arrival> {
    const pass = (bytes: Buffer) => void this.#client.write(bytes);
    if (this.#letIn || this.operator) {
      return carryOver(target, this.#startup, this.#talk.carry, pass, (what, { message: why }) =>
        this.#passage.log.warn({ ...this.facts(), what, why }, 'not carried over; it will be missed if it is used'),
      );
    }
    return authenticate(target, this.#startup, {
      pass,
      met: (backend) => {
        if (this.#closed) return backend.release();
        this.#backend = backend;
        this.#inbox.run();
      },
      letIn: () => (this.#letIn = true),
      parted: () => this.close(),
    });
  }

  #arrived({ backend, parameters }: Arrival): void {
    if (this.#closed) return backend.release();
    this.#backend = backend;
    backend.listener = { judge: (type, head) => this.#fromServer(type, head), pass: (bytes) => this.#toClient(bytes), gone: (cause) => this.#gone(cause) };
    backend.socket.on('drain', () => this.#settle());
    const known = this.#talk.parameters;
    const news: Buffer[] = this.#letIn ? [] : [authenticated];
    for (const [name, value] of parameters) {
      if (this.#welcomed && known.get(name) === value) continue;
      known.set(name, value);
      news.push(parameter(name, value));
    }
    if (this.#welcomed) {
      this.#passage.moved(this);
    } else {
      // The client keeps this key for life; its requests to cancel find the session by it, wherever that is then.
      if (backend.key) this.#passage.keyed(backend.key, this);
      news.push(...(backend.key ? [message(back.key, backend.key)] : []), ready);
      this.#letIn = this.#welcomed = true;
      this.#waited();
    }
    this.#since = Date.now();
    if (news.length > 0) this.#client.write(Buffer.concat(news));
    this.#settle();
  }

  #failed(colour: Colour, error: Error, outOfTime: boolean): void {
    // The hold's end starts another search, with its whole limit, wherever the routes point then.
    if (this.#passage.hold.covers(this)) return this.#passage.log.debug({ ...this.facts(), cause: error.message }, 'no backend yet');
    this.#passage.log.warn({ ...this.facts(), cause: error.message }, outOfTime ? 'no backend within the limit' : 'the session cannot go on');
    if (outOfTime) this.close(fatal('57P03', `the database cannot be reached: ${colour} took no connection for ${this.#passage.limits.attachMs} ms (${error.message})`, 'Nothing of the waiting statement was executed. Try again.'));
    else if (error instanceof Refusal) this.close(message(back.error, error.raw));
    else this.close(fatal('57P01', `the session could not be carried over to ${colour}: ${error.message}`, 'Connect again.'));
  }

  /** A second line behind the fence: no session writes to a colour that is not live, whatever keeps it there. */
  #expel(): void {
    const facts = this.facts();
    this.#passage.log.warn({ ...facts, pins: this.pins }, 'closed: it is pinned to a colour that is no longer live');
    this.close(fatal('57P01', `terminating connection: ${facts.colour} is no longer live, and this session cannot move (${this.pins.join(', ')})`, 'Connect again.'));
  }
}
