import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import path from 'node:path';
import type { Colour } from '../../model/colours.ts';
import type { Upstream } from '../config.ts';
import { Framer, type FrameVerdict } from '../../wire/framer.ts';
import { back, terminate } from '../../wire/messages.ts';
import { cancelRequest } from '../../wire/opening.ts';
import { encrypt } from './encrypt.ts';

/** Over TCP the server asks for a password; over its socket folder, where it has one here, it does not. */
export type Way = 'tcp' | 'socket';

/** Bytes of each type of message that somebody here reads; of all others only the header. */
const heads: Readonly<Record<number, number>> = {
  [back.ready]: 1,
  [back.authentication]: 4,
  [back.commandComplete]: 64,
  [back.key]: 512,
  [back.parameter]: 16_384,
  [back.error]: 16_384,
  [back.notice]: 16_384,
};

/** What follows the messages of one backend: first the login or the restoring, then the session. */
export interface Listener {
  /** Bytes of this type's bodies that it reads, where that is more than usual. */
  wanted?(type: number): number | undefined;
  judge(type: number, head: Buffer, length: number): FrameVerdict;
  pass(bytes: Buffer): void;
  /** The connection is gone; called once, and never after `release`. */
  gone(cause: Error | undefined): void;
}

export interface BackendTarget {
  readonly colour: Colour;
  readonly upstream: Upstream;
}

/** A backend before its first statement, and what it said of its parameters. */
export interface Connected {
  readonly backend: Backend;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One connection to a server, for one session at a time of its life. */
export class Backend {
  readonly colour: Colour;
  readonly upstream: Upstream;
  readonly socket: Socket;
  readonly #framer: Framer;
  readonly #options: NetConnectOpts;
  #listener: Listener | undefined;
  /** Body of BackendKeyData: process id and secret. */
  key: Buffer | undefined;

  private constructor(colour: Colour, upstream: Upstream, options: NetConnectOpts, socket: Socket) {
    this.colour = colour;
    this.upstream = upstream;
    this.socket = socket;
    this.#options = options;
    this.#framer = new Framer({
      wanted: (type) => this.#listener?.wanted?.(type) ?? heads[type] ?? 0,
      judge: (type, head, length) => this.#listener?.judge(type, head, length) ?? 'drop',
      pass: (bytes) => this.#listener?.pass(bytes),
    });
  }

  /** Rejects with the system's error where nobody listens, and where TLS cannot be had as it is asked for. */
  static async dial(colour: Colour, upstream: Upstream, way: Way, listener: Listener): Promise<Backend> {
    const { host = '127.0.0.1', port, sockets, tls } = upstream;
    const at = way === 'tcp' || sockets === undefined ? host : sockets;
    // As libpq has it, one that others run may be named by the folder of its socket.
    const options: NetConnectOpts = at.startsWith('/')
      ? { path: path.join(at, `.s.PGSQL.${port}`) }
      : { host: at, port };
    const socket = await connected(options);
    const backend = new Backend(colour, upstream, options, tls ? await encrypt(socket, host, tls) : socket);
    backend.#listener = listener;
    backend.#watch();
    return backend;
  }

  get pid(): number | undefined {
    return this.key?.readInt32BE(0);
  }

  set listener(listener: Listener) {
    this.#listener = listener;
  }

  #watch(): void {
    let failure: Error | undefined;
    this.socket.on('error', (error) => (failure = error));
    this.socket.on('data', (bytes) => {
      try {
        this.#framer.push(bytes);
      } catch (error) {
        this.socket.destroy(error as Error);
      }
    });
    this.socket.on('close', () => {
      const listener = this.#listener;
      this.#listener = undefined;
      listener?.gone(failure);
    });
  }

  /** Leaves the server, politely; what it still says is nobody's. */
  release(): void {
    this.#listener = undefined;
    this.#framer.stop();
    if (this.socket.writable) this.socket.end(terminate);
    // A server that does not close (stopped, hung) must not keep the descriptor.
    this.socket.resume().setTimeout(5_000, () => this.socket.destroy());
  }

  /** Asks the server to cancel what this backend does. Resolves when the server has taken note. */
  cancel(): Promise<void> {
    const { key } = this;
    if (!key) return Promise.resolve();
    return this.#cancel(key).catch(() => undefined);
  }

  async #cancel(key: Buffer): Promise<void> {
    const { host = '127.0.0.1', tls } = this.upstream;
    const plain = await connected(this.#options);
    plain.setTimeout(5_000, () => plain.destroy());
    const socket = tls ? await encrypt(plain, host, tls) : plain;
    const closed = once(socket, 'close');
    socket
      .on('error', () => undefined)
      .on('data', () => undefined)
      .write(cancelRequest(key));
    await closed;
  }
}

async function connected(options: NetConnectOpts): Promise<Socket> {
  const socket = connect(options);
  // Rejects with the socket's error.
  await once(socket, 'connect');
  if (!('path' in options)) socket.setNoDelay(true).setKeepAlive(true, 30_000);
  return socket;
}
