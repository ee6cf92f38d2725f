import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { invalidConfig, type RouterConfig } from '../config.ts';

/** What a client of PostgreSQL 17 names in a hello that it sends without asking. */
const protocol = 'postgresql';

/** Milliseconds between two looks at the files: by content, since a renewal may replace a link or a folder above. */
const lookEvery = 2_000;

type Files = NonNullable<RouterConfig['tls']>;

interface Read {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What clients are offered: the files' certificate, as long as certificate and key there belong together. */
export class ClientTls {
  /** Clients that ask for no TLS are refused. */
  readonly required: boolean;
  readonly #files: Files;
  readonly #log: Logger;
  #context: SecureContext;
  #seen: Read;

  private constructor(files: Files, log: Logger, seen: Read) {
    this.required = files.required;
    this.#files = files;
    this.#log = log;
    this.#seen = seen;
    this.#context = contextOf(seen);
  }

  /** Throws `router-config` where certificate and key cannot be read or do not belong together. */
  static async open(files: Files, log: Logger, config: string): Promise<ClientTls> {
    try {
      const tls = new ClientTls(files, log, await read(files));
      setInterval(() => void tls.renew(), lookEvery).unref();
      return tls;
    } catch (cause) {
      throw invalidConfig(config, `names a certificate that cannot be used (${files.cert}, ${files.key})`, cause);
    }
  }

  /** Takes what the files have now, for clients that come from now on. Half of a renewal is left for the next look. */
  async renew(): Promise<void> {
    try {
      const found = await read(this.#files);
      if (found.cert.equals(this.#seen.cert) && found.key.equals(this.#seen.key)) return;
      this.#seen = found;
      this.#context = contextOf(found);
      this.#log.info({ cert: this.#files.cert }, 'clients are offered the renewed certificate');
    } catch (error) {
      this.#log.warn(
        { cert: this.#files.cert, cause: (error as Error).message },
        'the certificate as it is now cannot be used: the previous one stays in use',
      );
    }
  }

  /** The client's connection, encrypted from here on. `direct`: it did not ask, and has to name the protocol. */
  encrypted(client: Socket, direct: boolean): Socket {
    client.on('error', () => undefined);
    const socket = new TLSSocket(client, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: [protocol],
    });
    if (direct) socket.on('secure', () => socket.alpnProtocol === protocol || socket.destroy());
    return socket;
  }
}

async function read({ cert, key }: Files): Promise<Read> {
  const [a, b] = await Promise.all([readFile(cert), readFile(key)]);
  return { cert: a, key: b };
}

function contextOf({ cert, key }: Read): SecureContext {
  return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
}
