import type { Colour } from '../../model/colours.ts';
import type { SessionFacts, SessionState } from '../api.ts';
import type { Upstream } from '../config.ts';
import type { ServerSide } from '../server/server-side.ts';
import type { Shared } from '../shared.ts';
import { Conversation } from './conversation.ts';
import { HeldWait } from './held-wait.ts';
import type { Looking } from './looking.ts';
import type { Who } from './who.ts';

/** What is seen of a session: where it belongs, where it is, whether somebody waits for it. It changes nothing. */
export abstract class SessionView {
  readonly who: Who;
  protected readonly shared: Shared;
  protected readonly talk = new Conversation();
  protected readonly wait = new HeldWait();
  protected abstract readonly server: ServerSide;
  protected abstract readonly looking: Looking;
  /** The gate has stopped a message. */
  protected blocked = false;
  /** The client has said goodbye, and the server has been told. */
  protected leaving = false;
  /** When it became what it is, in milliseconds since 1970. */
  protected since = Date.now();
  /** Of a reader: where it belongs by the weights. */
  readonly #place: number;
  #closed = false;
  #spurned = false;

  constructor(shared: Shared, who: Who) {
    this.shared = shared;
    this.who = who;
    this.#place = who.reader ? shared.table.place() : 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Closes it, once: false where it was closed before. */
  protected ends(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    return true;
  }

  get user(): string {
    return this.who.user;
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
    return this.shared.table.colourFor(this.reader, this.#place);
  }

  upstream(colour: Colour): Upstream | null {
    const { table } = this.shared;
    // A standby takes no LISTEN, and the operator asks the primary.
    const reads = this.reader && !this.operator && !this.replication && !this.#spurned && !this.talk.restorable.listens;
    return reads ? table.standby(colour, this.#place) : table.primary(colour);
  }

  spurned(): void {
    this.#spurned = true;
  }

  get attachedTo(): Colour | undefined {
    return this.server.backend?.colour;
  }

  get leavesRest(): boolean {
    return this.blocked || this.leaving;
  }

  /** Not while it is still authenticating: the fence may meet it, and it waits like the others then. */
  get busy(): boolean {
    if (this.#closed || this.replication || !this.server.welcomed) return false;
    return this.looking.underWay || !this.talk.requests.idle;
  }

  /** Somebody waits for it: it gets a server before those who merely listen. */
  get urgent(): boolean {
    return this.blocked || !this.server.welcomed;
  }

  /**
   * A client that waits under a hold, or listens, may have its backend made on the new live colour while the operator
   * is still at work there: it goes no further than the gate, and at the hold's end its statement is not kept waiting
   * for a server process to start. Not before the operator's probe has got through: all wait for its answer, and it
   * would wait for as many starting processes as there are clients.
   */
  get ahead(): boolean {
    const { record, reached } = this.shared.hold;
    const wanted = this.blocked || this.talk.restorable.listens;
    return this.server.welcomed && wanted && this.colour !== record?.colour && this.colour === reached;
  }

  /** Why it cannot be moved; empty where it can. */
  get pins(): readonly string[] {
    return this.talk.restorable.pins;
  }

  get #state(): SessionState {
    if (this.wait.since !== undefined) return 'waiting';
    if (!this.server.welcomed) return 'connecting';
    if (!this.server.backend) return 'detached';
    if (this.talk.requests.idle) return 'idle';
    return this.talk.requests.status === 'I' ? 'active' : 'transaction';
  }

  facts(): SessionFacts {
    const { user, database } = this.who;
    return {
      user,
      applicationName: this.talk.parameters.get('application_name') ?? '',
      database,
      pid: this.server.backend?.pid ?? null,
      colour: this.attachedTo ?? this.colour,
      state: this.#state,
      since: new Date(this.wait.since ?? this.since).toISOString(),
    };
  }
}
