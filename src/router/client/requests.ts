import { back, front } from '../../wire/messages.ts';

/** A message of the client that the server has to answer. */
export interface Request {
  readonly type: number;
  /** SQL, where the router may have to know it; `pieces` is filled when the first statement of it counts. */
  readonly text?: string | undefined;
  /** Of the prepared statement that a Parse or Close names. */
  readonly name?: string;
  readonly raw?: Buffer | undefined;
  /** The text is longer than what was read of it. */
  readonly cut?: boolean;
  pieces?: string[];
}

/** As ReadyForQuery says: no transaction, in one, in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

const endsGroup = (type: number) => type === front.query || type === front.sync || type === front.call;

/** What a session has asked and the server has not answered yet. Knows exactly when nothing is under way. */
export class Requests {
  #queue: Request[] = [];
  /** Messages of the extended protocol went out after the last Sync: the server is in an implicit transaction. */
  #open = false;
  /** The server reads copy data, and ignores Sync until CopyDone or CopyFail. */
  #copyIn = false;
  /** An error in the group that is being answered: the server skips to its end. */
  failed = false;
  /** The server skips all that comes until the next Sync. */
  #skipping = false;
  status: TransactionStatus = 'I';

  /** Every answer has come. The session may still be in a transaction, or between two messages of one group. */
  get answered(): boolean {
    return this.#queue.length === 0;
  }

  /** The last message sent ended a group, so that the next one begins another. */
  get atBoundary(): boolean {
    return !this.#open && !this.#copyIn;
  }

  get idle(): boolean {
    return this.status === 'I' && this.answered && this.atBoundary;
  }

  sent(request: Request): void {
    // Kept nowhere: a client that goes on and on behind an error would fill the memory.
    if (this.#skipping && request.type !== front.sync) return;
    switch (request.type) {
      case front.sync:
        if (this.#copyIn) return;
        this.#open = false;
        break;
      case front.parse:
      case front.bind:
      case front.describe:
      case front.execute:
      case front.close:
        this.#open = true;
        break;
      case front.flush:
        this.#open = true;
        return;
      case front.copyDone:
      case front.copyFail:
        this.#copyIn = false;
        return;
      case front.query:
      case front.call:
        break;
      default:
        return;
    }
    this.#queue.push(request);
  }

  /** The request that this message of the server answers, where it is one that the session's state hangs on. */
  received(type: number): Request | undefined {
    const head = this.#queue[0];
    switch (type) {
      case back.parseComplete:
        return this.#shift(front.parse);
      case back.bindComplete:
        return this.#shift(front.bind);
      case back.closeComplete:
        return this.#shift(front.close);
      case back.rowDescription:
      case back.noData:
        return this.#shift(front.describe);
      case back.commandComplete:
      case back.emptyQuery:
      case back.suspended:
        return head?.type === front.query ? head : this.#shift(front.execute);
      case back.copyIn:
      case back.copyBoth:
        // A Sync that libpq sends right behind the Execute is read as part of the copy and never answered.
        this.#queue = this.#queue.filter((request) => request.type !== front.sync);
        this.#open = head?.type === front.execute;
        this.#copyIn = true;
        return undefined;
      case back.error:
        this.failed = true;
        this.#copyIn = false;
        this.#skipping = head ? !(head.type === front.query || head.type === front.call) : this.#open;
        return undefined;
      default:
        return undefined;
    }
  }

  /** ReadyForQuery answers everything up to the next end of a group, whatever was skipped after an error. */
  ready(status: TransactionStatus): void {
    const ends = this.#skipping ? (type: number) => type === front.sync : endsGroup;
    this.#queue.splice(0, this.#queue.findIndex((request) => ends(request.type)) + 1);
    this.#skipping = false;
    this.#copyIn = false;
    this.failed = false;
    this.status = status;
  }

  #shift(type: number): Request | undefined {
    return this.#queue[0]?.type === type ? this.#queue.shift() : undefined;
  }
}
