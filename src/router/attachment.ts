import type { Colour } from '../model/colours.ts';
import type { SessionFacts } from './api.ts';
import { authenticate, carryOver, Refusal, type Arrival, type Target } from './arrive.ts';
import { Attaching } from './attaching.ts';
import type { Backend } from './backend.ts';
import type { Conversation } from './conversation.ts';
import type { Verdict } from '../wire/framer.ts';
import { authenticated, back, fatal, message, parameter, ready } from '../wire/messages.ts';
import type { Passage } from './passage.ts';

/** The session that is to be served. */
export interface Served {
  readonly closed: boolean;
  /** Came through the operator's own socket. */
  readonly operator: boolean;
  /** Where it should be now. */
  readonly colour: Colour;
  /** A hold keeps it from having a server now. */
  heldBack(): boolean;
  /** It may have one before the hold ends. */
  readonly ahead: boolean;
  facts(): SessionFacts;
  /** To the client. */
  write(bytes: Buffer): void;
  fromServer(type: number, head: Buffer): Verdict;
  toClient(bytes: Buffer): void;
  /** The server can take part in the password exchange. */
  met(): void;
  /** There is a server. `first`: the client has been welcomed with it. */
  arrived(first: boolean): void;
  /** The server may take more. */
  drained(): void;
  /** The server ended the connection. */
  lost(cause: Error | undefined): void;
  close(last?: Buffer): void;
}

/** Which server serves a session, and how it gets one: the first lets the client in, each later one is given the session as it was. */
export class Attachment {
  readonly #passage: Passage;
  readonly #startup: Buffer;
  readonly #talk: Conversation;
  readonly #served: Served;
  readonly #attaching: Attaching;
  readonly #holds: number;
  #backend: Backend | undefined;
  /** The client has had AuthenticationOk. */
  #letIn = false;
  #welcomed = false;

  constructor(passage: Passage, startup: Buffer, talk: Conversation, served: Served) {
    this.#passage = passage;
    this.#startup = startup;
    this.#talk = talk;
    this.#served = served;
    this.#holds = passage.hold.count;
    const attachment = this;
    this.#attaching = new Attaching(
      {
        get closed() {
          return served.closed;
        },
        get held() {
          return served.heldBack() && !served.ahead;
        },
        get ahead() {
          return served.heldBack() && served.ahead;
        },
        get known() {
          return attachment.#known;
        },
        get colour() {
          return served.colour;
        },
        upstream: (colour) => passage.table.upstreams[colour],
        reach: (target) => this.#reach(target),
        arrived: (arrival) => this.#arrived(arrival),
        delayed: (error) => {
          this.#backend = undefined;
          passage.log.debug({ ...served.facts(), cause: error.message }, 'no backend yet');
        },
        failed: (colour, error, outOfTime) => this.#failed(colour, error, outOfTime),
      },
      passage.limits.attachMs,
    );
  }

  /** The client has had its first ReadyForQuery. */
  get welcomed(): boolean {
    return this.#welcomed;
  }

  get backend(): Backend | undefined {
    return this.#backend;
  }

  /** It is attached to another server than it should be. */
  get misplaced(): boolean {
    const { colour } = this.#served;
    const should = this.#passage.table.upstreams[colour];
    const is = this.#backend;
    return (
      is !== undefined &&
      (is.colour !== colour || is.upstream.port !== should?.port || is.upstream.sockets !== should.sockets)
    );
  }

  /** A server is wanted; under a hold, when that ends. */
  want(): void {
    const served = this.#served;
    if (!served.closed && !this.#backend && (!served.heldBack() || served.ahead)) this.#attaching.start();
  }

  /** Something changed: the next attempt is made at once. */
  hurry(): void {
    this.#attaching.hurry();
  }

  detach(): void {
    this.#backend?.release();
    this.#backend = undefined;
  }

  /**
   * Who is refused by what may be the fence will be let in later. That is so of a client that was let in before, and of a new one
   * whose attempt may have met a fence: if no hold was on since it came, a refusal is PostgreSQL's word to this client.
   */
  get #known(): boolean {
    const { hold } = this.#passage;
    return this.#welcomed || hold.record !== undefined || hold.count !== this.#holds;
  }

  #reach(target: Target): Promise<Arrival> {
    const { log } = this.#passage;
    const served = this.#served;
    const pass = (bytes: Buffer) => served.write(bytes);
    if (this.#letIn || served.operator) {
      const carry = () =>
        carryOver(target, this.#startup, this.#talk.carry, pass, (what, { message: why }) =>
          log.warn({ ...served.facts(), what, why }, 'not carried over; it will be missed if it is used'),
        );
      // The operator's probe is what all the others wait for.
      return served.operator ? carry() : this.#passage.turns.in(carry);
    }
    const attachment = this;
    return authenticate(target, this.#startup, {
      pass,
      get known() {
        return attachment.#known;
      },
      met: (backend) => {
        if (served.closed) return backend.release();
        this.#backend = backend;
        served.met();
      },
      letIn: () => (this.#letIn = true),
      parted: () => served.close(),
    });
  }

  #arrived({ backend, parameters }: Arrival): void {
    const served = this.#served;
    if (served.closed) return backend.release();
    this.#backend = backend;
    backend.listener = {
      judge: (type, head) => served.fromServer(type, head),
      pass: (bytes) => served.toClient(bytes),
      gone: (cause) => this.#gone(cause),
    };
    backend.socket.on('drain', () => served.drained());
    const first = !this.#welcomed;
    const news = this.#news(parameters);
    if (first) {
      news.push(...(backend.key ? [message(back.key, backend.key)] : []), ready);
      if (!this.#letIn) news.unshift(authenticated);
      this.#letIn = this.#welcomed = true;
    }
    if (news.length > 0) served.write(Buffer.concat(news));
    served.arrived(first);
  }

  /** What this server's parameters are new to the client. */
  #news(parameters: Arrival['parameters']): Buffer[] {
    const { parameters: known } = this.#talk;
    const news = [...parameters].filter(([name, value]) => !this.#welcomed || known.get(name) !== value);
    for (const [name, value] of news) known.set(name, value);
    return news.map(([name, value]) => parameter(name, value));
  }

  #gone(cause: Error | undefined): void {
    this.#backend = undefined;
    this.#served.lost(cause);
  }

  #failed(colour: Colour, error: Error, outOfTime: boolean): void {
    const served = this.#served;
    const { log, limits } = this.#passage;
    const facts = { ...served.facts(), cause: error.message };
    // The hold's end starts another search, with its whole limit, wherever the routes point then.
    if (served.heldBack()) return log.debug(facts, 'no backend yet');
    log.warn(facts, outOfTime ? 'no backend within the limit' : 'the session cannot go on');
    if (outOfTime)
      served.close(
        fatal(
          '57P03',
          `the database cannot be reached: ${colour} took no connection for ${limits.attachMs} ms (${error.message})`,
          'Nothing of the waiting statement was executed. Try again.',
        ),
      );
    else if (error instanceof Refusal) served.close(message(back.error, error.raw));
    else
      served.close(
        fatal('57P01', `the session could not be carried over to ${colour}: ${error.message}`, 'Connect again.'),
      );
  }
}
