/**
 * What becomes of a message: it goes on to the other side, is dropped, or stays with all that is behind it until `run`
 * is called again.
 */
export type FrameVerdict = 'pass' | 'drop' | 'wait';

export interface Framing {
  /** How many bytes of the body `judge` must see, at most; what is beyond them is passed or dropped as it arrives. */
  wanted(type: number): number;
  /**
   * Called once per message, in order, when its header and the wanted part of its body are there. `length` is the whole
   * body's.
   */
  judge(type: number, head: Buffer, length: number): FrameVerdict;
  /** Whole messages and parts of messages, as they came in; runs of passed messages arrive as one slice. */
  pass(bytes: Buffer): void;
}

/** The bytes are none of PostgreSQL's protocol. Whoever sent them is told so (08P01), and nobody else. */
export class ProtocolViolation extends Error {}

const header = 5;
const longest = 0x3fff_ffff + 4;

/**
 * Cuts a stream of PostgreSQL messages (a type byte, a length, a body) at their borders. Bodies are looked at only as
 * far as `wanted` says, so that a result set of any size goes through in the pieces the sockets read.
 */
export class Framer {
  readonly #framing: Framing;
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes without which there is nothing to do: parts are joined only then, so that a long message is copied once. */
  #need = header;
  /** Of the message that was judged last. */
  #left = 0;
  #passing = true;
  #running = false;
  #stopped = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Bytes that wait for a verdict or for the rest of their message. */
  get size(): number {
    return this.#size;
  }

  /** True between two messages: nothing was passed of one that is not whole. */
  get between(): boolean {
    return this.#left === 0;
  }

  push(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#left > 0 || this.#size >= this.#need) this.run();
  }

  /** What is left, and what comes, is thrown away. */
  stop(): void {
    this.#stopped = true;
    this.#parts = [];
    this.#size = 0;
  }

  /** Goes on from where it was. A call from within `judge` does nothing: the outer run goes on anyway. */
  run(): void {
    if (this.#running || this.#stopped || this.#size === 0) return;
    this.#running = true;
    try {
      this.#step(this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts));
    } finally {
      this.#running = false;
    }
  }

  #step(bytes: Buffer): void {
    let at = 0;
    /** Start of what is to be passed in one piece. */
    let from = 0;
    this.#need = header;
    while (!this.#stopped) {
      if (this.#left > 0) {
        const some = Math.min(this.#left, bytes.length - at);
        if (!this.#passing) {
          if (at > from) this.#framing.pass(bytes.subarray(from, at));
          from = at + some;
        }
        at += some;
        this.#left -= some;
        if (this.#left > 0) break;
      }
      if (bytes.length - at < header) break;
      const type = bytes[at] as number;
      const length = bytes.readInt32BE(at + 1);
      if (length < 4 || length > longest)
        throw new ProtocolViolation(`a message of type 0x${type.toString(16)} claims ${length} bytes`);
      const wanted = Math.min(this.#framing.wanted(type), length - 4);
      if (bytes.length - at < header + wanted) {
        this.#need = header + wanted;
        break;
      }
      const verdict = this.#framing.judge(type, bytes.subarray(at + header, at + header + wanted), length - 4);
      if (verdict === 'wait') break;
      this.#left = 1 + length;
      this.#passing = verdict === 'pass';
    }
    if (at > from) this.#framing.pass(bytes.subarray(from, at));
    if (this.#stopped) return;
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#size = bytes.length - at;
  }
}
