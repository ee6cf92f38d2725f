import { inspect } from '../server/inspect.ts';
import type { ServerSide } from '../server/server-side.ts';
import type { Conversation } from './conversation.ts';

/** Milliseconds of idleness after which a session is looked at, so that a hold finds little to look at. */
const restBeforeLook = 1_000;

/** What a look needs of the session that it is about. */
export interface LookedAt {
  readonly user: string;
  readonly closed: boolean;
  /** A message of its waits, or it has said goodbye. */
  readonly leavesRest: boolean;
  enter<T>(work: () => T): T | undefined;
  fail(error: Error): void;
  toClient(bytes: Buffer): void;
  /** The server has answered, or is gone where `alive` is false. */
  looked(alive: boolean): void;
}

/** Asks the server for what is not known of a session's state. The client's next message waits for the answer. */
export class Looking {
  readonly #talk: Conversation;
  readonly #server: ServerSide;
  readonly #session: LookedAt;
  #timer: NodeJS.Timeout | undefined;
  #underWay = false;

  constructor(talk: Conversation, server: ServerSide, session: LookedAt) {
    this.#talk = talk;
    this.#server = server;
    this.#session = session;
  }

  get underWay(): boolean {
    return this.#underWay;
  }

  /** The client is idle from now on: a look comes after a while, where there is something to look for. */
  later(): void {
    if (!this.#talk.restorable.unseen || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#session.enter(() => {
        if (this.#talk.restorable.unseen && !this.#session.leavesRest) this.now();
      });
    }, restBeforeLook).unref();
  }

  /** Nothing where the session is not idle on a server. */
  now(): void {
    const { backend } = this.#server;
    const { restorable, requests } = this.#talk;
    const session = this.#session;
    if (this.#underWay || session.closed || !backend || !requests.idle) return;
    this.#underWay = true;
    inspect(backend, restorable.ownSettings, (bytes) => session.enter(() => session.toClient(bytes)))
      .then(
        (seen) => restorable.found(seen, Buffer.from(session.user).toString('latin1')),
        () => restorable.notFound(),
      )
      .then(() => {
        this.#underWay = false;
        if (session.closed) return;
        const alive = backend.socket.writable && !backend.socket.readableEnded;
        if (alive) this.#server.listen(backend);
        session.looked(alive);
      })
      .catch((error: unknown) => session.fail(error as Error));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
