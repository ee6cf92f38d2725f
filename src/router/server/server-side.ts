import { isDeepStrictEqual } from 'node:util';
import type { Colour } from '../../model/colours.ts';
import type { SessionFacts } from '../api.ts';
import type { Backend, Connected, BackendTarget } from './backend.ts';
import { logIn } from './log-in.ts';
import { Refusal } from './refusal.ts';
import { restoreSession } from './restore.ts';
import { Search } from './search.ts';
import type { Conversation } from '../client/conversation.ts';
import type { FrameVerdict } from '../../wire/framer.ts';
import { authenticated, back, fatal, message, parameter, ready } from '../../wire/messages.ts';
import type { Upstream } from '../config.ts';
import type { Shared } from '../shared.ts';

/** What the server side needs of the session that it serves. */
export interface ClientSide {
  readonly closed: boolean;
  /** Came through the operator's own socket. */
  readonly operator: boolean;
  /** Where it should be now. */
  readonly colour: Colour;
  /** Which of the colour's servers serves it. */
  upstream(colour: Colour): Upstream | null;
  /** A standby did not take it: from now on the primary serves it. */
  spurned(): void;
  /** A hold keeps it from having a server now. */
  heldBack(): boolean;
  /** It may have one before the hold ends. */
  readonly ahead: boolean;
  facts(): SessionFacts;
  /** Runs what comes from a socket or a promise: what it throws ends this session alone. */
  enter<T>(work: () => T): T | undefined;
  fail(error: Error): void;
  /** To the client. */
  write(bytes: Buffer): void;
  fromServer(type: number, head: Buffer): FrameVerdict;
  toClient(bytes: Buffer): void;
  /** The server can take part in the password exchange. */
  met(): void;
  /** PostgreSQL has let the client in. False: it may not stay, and has been closed. */
  letIn(): boolean;
  /** There is a server. `first`: the client has been welcomed with it. */
  arrived(first: boolean): void;
  /** The server may take more. */
  drained(): void;
  /** The server ended the connection. */
  lost(cause: Error | undefined): void;
  close(last?: Buffer): void;
}

/**
 * Which server serves a session, and how it gets one: the first lets the client in, each later one is given the session
 * as it was.
 */
export class ServerSide {
  readonly #shared: Shared;
  readonly #startup: Buffer;
  readonly #talk: Conversation;
  readonly #client: ClientSide;
  readonly #search: Search;
  readonly #holds: number;
  #backend: Backend | undefined;
  /** The client has had AuthenticationOk. */
  #letIn = false;
  #welcomed = false;

  constructor(shared: Shared, startup: Buffer, talk: Conversation, client: ClientSide) {
    this.#shared = shared;
    this.#startup = startup;
    this.#talk = talk;
    this.#client = client;
    this.#holds = shared.hold.count;
    const side = this;
    this.#search = new Search(
      {
        get closed() {
          return client.closed;
        },
        get held() {
          return client.heldBack() && !client.ahead;
        },
        get ahead() {
          return client.heldBack() && client.ahead;
        },
        get known() {
          return side.#known;
        },
        get colour() {
          return client.colour;
        },
        upstream: (colour) => client.upstream(colour),
        reach: (target) => this.#reachEither(target),
        arrived: (connected) => this.#arrived(connected),
        delayed: (error) => {
          this.#backend = undefined;
          shared.log.debug({ ...client.facts(), cause: error.message }, 'no backend yet');
        },
        failed: (colour, error, limit) => this.#failed(colour, error, limit),
        broken: (error) => client.fail(error),
      },
      shared.limits,
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
    const { colour } = this.#client;
    const should = this.#client.upstream(colour);
    const is = this.#backend;
    return is !== undefined && (is.colour !== colour || !isDeepStrictEqual(is.upstream, should));
  }

  /** A server is wanted; under a hold, when that ends. */
  want(): void {
    const client = this.#client;
    if (!client.closed && !this.#backend && (!client.heldBack() || client.ahead)) this.#search.start();
  }

  /** Something changed: the next attempt is made at once. */
  hurry(): void {
    this.#search.hurry();
  }

  detach(): void {
    this.#backend?.release();
    this.#backend = undefined;
  }

  /**
   * Who is refused by what may be the fence will be let in later. That is so of a client that was let in before, and of
   * a new one whose attempt may have met a fence: if no hold was on since it came, a refusal is PostgreSQL's word to
   * this client.
   */
  get #known(): boolean {
    const { hold } = this.#shared;
    return this.#welcomed || hold.record !== undefined || hold.count !== this.#holds;
  }

  /** A standby that does not take the session is none for it: nobody waits, and nobody is refused, by a standby. */
  async #reachEither(target: BackendTarget): Promise<Connected> {
    const { table, log } = this.#shared;
    const primary = table.primary(target.colour);
    if (!primary || isDeepStrictEqual(target.upstream, primary)) return this.#reach(target);
    try {
      return await this.#reach(target);
    } catch (error) {
      const client = this.#client;
      if (client.closed) throw error;
      log.info(
        { ...client.facts(), cause: (error as Error).message },
        'a standby did not take it: the primary serves it',
      );
      this.#backend = undefined;
      client.spurned();
      return this.#reach({ ...target, upstream: primary });
    }
  }

  #reach(target: BackendTarget): Promise<Connected> {
    const { log } = this.#shared;
    const client = this.#client;
    const pass = (bytes: Buffer) => client.enter(() => client.write(bytes));
    if (this.#letIn || client.operator) {
      const restorable = () =>
        restoreSession(
          target,
          { startup: this.#startup, password: () => this.#shared.passwordOf(client.facts().user, target.colour) },
          this.#talk.restorable,
          pass,
          (what, { message: why }) =>
            log.warn({ ...client.facts(), what, why }, 'not carried over; it will be missed if it is used'),
        );
      // The operator's probe is what all the others wait for.
      return client.operator ? restorable() : this.#shared.turns.in(restorable);
    }
    const side = this;
    return logIn(target, this.#startup, {
      pass,
      get known() {
        return side.#known;
      },
      met: (backend) => {
        if (client.closed) return backend.release();
        this.#backend = backend;
        client.enter(() => client.met());
      },
      letIn: () => {
        this.#letIn = client.letIn();
        return this.#letIn;
      },
      parted: () => client.close(),
    });
  }

  #arrived({ backend, parameters }: Connected): void {
    const client = this.#client;
    if (client.closed) return backend.release();
    this.#backend = backend;
    this.listen(backend);
    backend.socket.on('drain', () => client.enter(() => client.drained()));
    const first = !this.#welcomed;
    const news = this.#news(parameters);
    if (first) {
      news.push(...(backend.key ? [message(back.key, backend.key)] : []), ready);
      if (!this.#letIn) news.unshift(authenticated);
      this.#letIn = this.#welcomed = true;
    }
    if (news.length > 0) client.write(Buffer.concat(news));
    client.arrived(first);
  }

  /** The session reads this backend. */
  listen(backend: Backend): void {
    const client = this.#client;
    backend.listener = {
      judge: (type, head) => client.enter(() => client.fromServer(type, head)) ?? 'drop',
      pass: (bytes) => client.enter(() => client.toClient(bytes)),
      gone: (cause) => client.enter(() => this.#gone(cause)),
    };
  }

  /** What this server's parameters are new to the client. */
  #news(parameters: Connected['parameters']): Buffer[] {
    const { parameters: known } = this.#talk;
    const news = [...parameters].filter(([name, value]) => !this.#welcomed || known.get(name) !== value);
    for (const [name, value] of news) known.set(name, value);
    return news.map(([name, value]) => parameter(name, value));
  }

  #gone(cause: Error | undefined): void {
    this.#backend = undefined;
    this.#client.lost(cause);
  }

  #failed(colour: Colour, error: Error, limit: number | undefined): void {
    const client = this.#client;
    const { log } = this.#shared;
    const facts = { ...client.facts(), cause: error.message };
    // The hold's end starts another search, with its whole limit, wherever the routes point then.
    if (client.heldBack()) return log.debug(facts, 'no backend yet');
    log.warn(facts, limit === undefined ? 'the session cannot go on' : 'no backend within the limit');
    if (limit !== undefined)
      client.close(
        fatal(
          error instanceof Refusal && error.full ? '53300' : '57P03',
          `the database cannot be reached: ${colour} took no connection for ${limit} ms (${error.message})`,
          'Nothing of the waiting statement was executed. Try again.',
        ),
      );
    else if (error instanceof Refusal) client.close(message(back.error, error.raw));
    else
      client.close(
        fatal('57P01', `the session could not be carried over to ${colour}: ${error.message}`, 'Connect again.'),
      );
  }
}
