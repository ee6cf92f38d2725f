import type { Socket } from 'node:net';
import { Framer, type FrameVerdict } from '../../wire/framer.ts';
import { front } from '../../wire/messages.ts';
import type { Taps } from '../taps.ts';
import { readLimit, wantedOfClient } from './reading.ts';
import { bindLimit } from './reads.ts';

/** A client that sends on while it has to wait is read up to here. */
const inboxLimit = 2 * readLimit;

/** Who decides what becomes of a client's messages, and takes those that may pass. */
export interface Gatekeeper {
  judge(type: number, head: Buffer, length: number): FrameVerdict;
  pass(bytes: Buffer): void;
}

/** What a client sends, until it may go on: beyond a limit the client is not read. */
export class Inlet {
  readonly #socket: Socket;
  readonly #inbox: Framer;

  constructor(socket: Socket, taps: Taps, keeper: Gatekeeper) {
    this.#socket = socket;
    this.#inbox = new Framer({
      wanted: (type) => (type === front.bind && taps.open ? bindLimit : (wantedOfClient[type] ?? 0)),
      judge: (type, head, length) => keeper.judge(type, head, length),
      pass: (bytes) => keeper.pass(bytes),
    });
  }

  push(bytes: Buffer): void {
    this.#inbox.push(bytes);
    if (this.#inbox.size > inboxLimit) this.#socket.pause();
  }

  /** What waits is judged again. */
  run(): void {
    this.#inbox.run();
  }

  /** The client is read again, unless too much of its waits here or at the server. */
  readOn(serverIsFull: boolean | undefined): void {
    if (this.#inbox.size <= inboxLimit && !serverIsFull) this.#socket.resume();
  }

  stop(): void {
    this.#inbox.stop();
  }
}
