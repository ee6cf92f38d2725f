import type { Duplex } from 'node:stream';
import type { Connection, Submittable } from 'pg';
import type { Client } from '../client.ts';

/**
 * Sends the rows of `COPY … TO STDOUT` on one session into `COPY … FROM STDIN` on another as they come: messages of
 * both look alike, so that none is taken apart, and only their headers are read. Returns the count of rows. Whatever
 * fails leaves neither session fit for another statement.
 */
export async function relay(from: Client, out: string, to: Client, into: string, signal: AbortSignal): Promise<number> {
  const sink = to.query(new CopyIn(into));
  // Who is not waited for yet must not end the process.
  sink.ended.catch(() => undefined);
  const abort = () => connectionOf(from).stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    const target = await sink.ready;
    const source = from.query(new CopyOut(out, target.stream));
    source.ended.catch(() => undefined);
    try {
      // A sink that refuses a row ends first; its server reads no more.
      await Promise.race([source.ended, sink.ended]);
    } catch (error) {
      connectionOf(from).stream.destroy();
      target.sendCopyFail('the rows do not come any more');
      throw error;
    }
    target.endCopyFrom();
    return await sink.ended;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** What node-postgres has besides what its types say. */
interface CopyConnection {
  readonly stream: Duplex;
  endCopyFrom(): void;
  sendCopyFail(why: string): void;
}

function connectionOf(client: Client): CopyConnection {
  return (client as unknown as { readonly connection: CopyConnection }).connection;
}

/** node-postgres calls these of the statement that is under way. */
class Statement implements Submittable {
  readonly #text: string;
  readonly #ended = Promise.withResolvers<number>();
  #rows = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Count of rows, once the server is ready again. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleError(error: Error): void {
    this.#ended.reject(error);
  }

  handleReadyForQuery(): void {
    this.#ended.resolve(this.#rows);
  }
}

class CopyIn extends Statement {
  readonly #ready = Promise.withResolvers<CopyConnection>();

  /** Where the rows go to. */
  get ready(): Promise<CopyConnection> {
    return this.#ready.promise;
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#ready.resolve(connection);
  }

  override handleError(error: Error): void {
    this.#ready.reject(error);
    super.handleError(error);
  }
}

/** Bytes of a message's type and length. */
const header = 5;
const copyData = 0x64;
/** They come before rows and between them: CopyOutResponse, notices, settings, notifications. */
const passed = new Set(['H', 'N', 'S', 'A'].map((letter) => letter.charCodeAt(0)));

class CopyOut extends Statement {
  readonly #target: Duplex;
  /** Of a message whose end has not come: bytes to go, and whether they are rows. */
  #left = 0;
  #rows = false;
  /** A header that came in parts. */
  #part: Buffer = Buffer.alloc(0);

  constructor(text: string, target: Duplex) {
    super(text);
    this.#target = target;
  }

  override submit(connection: Connection): void {
    const { stream } = connection;
    const [theirs] = stream.listeners('data') as ((chunk: Buffer) => void)[];
    if (!theirs) throw new Error('node-postgres listens to no session');
    const listen = (chunk: Buffer): void => {
      const rest = this.#take(chunk, stream);
      if (rest === undefined) return;
      stream.off('data', listen).on('data', theirs);
      theirs(rest);
    };
    stream.off('data', theirs).on('data', listen);
    super.submit(connection);
  }

  /** Returns what begins with the first message that is none of the copy's. */
  #take(chunk: Buffer, source: Duplex): Buffer | undefined {
    const bytes = this.#part.length > 0 ? Buffer.concat([this.#part, chunk]) : chunk;
    this.#part = Buffer.alloc(0);
    // Rows from `begun` to `at` are to be sent.
    let [begun, at] = [0, 0];
    const send = (): void => {
      if (at > begun && !this.#target.write(bytes.subarray(begun, at))) {
        source.pause();
        this.#target.once('drain', () => source.resume());
      }
      begun = at;
    };
    for (;;) {
      const here = Math.min(this.#left, bytes.length - at);
      at += here;
      this.#left -= here;
      if (!this.#rows) begun = at;
      if (this.#left > 0 || bytes.length - at < header) break;
      const type = bytes[at] ?? 0;
      if (type !== copyData) send();
      if (type !== copyData && !passed.has(type)) return bytes.subarray(at);
      this.#rows = type === copyData;
      // A length counts itself and not the type.
      this.#left = bytes.readUInt32BE(at + 1) + 1;
    }
    send();
    this.#part = bytes.subarray(at);
    return undefined;
  }
}
