import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { invalidConfig, type RouterConfig } from '../config.ts';

/** What a client of PostgreSQL 17 names in a hello that it sends without asking. */
const protocol = 'postgresql';

/** Throws `router-config` where certificate and key cannot be read or do not fit. Read at a start only. */
export async function tlsContext(tls: RouterConfig['tls'], file: string): Promise<SecureContext | undefined> {
  if (!tls) return undefined;
  try {
    const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)]);
    return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw invalidConfig(file, `names a certificate that cannot be used (${tls.cert}, ${tls.key})`, cause);
  }
}

/** The client's connection, encrypted from here on. `direct`: it did not ask, and has to name the protocol for that. */
export function encrypted(client: Socket, secureContext: SecureContext, direct: boolean): Socket {
  client.on('error', () => undefined);
  const socket = new TLSSocket(client, { isServer: true, secureContext, ALPNProtocols: [protocol] });
  if (direct) socket.on('secure', () => socket.alpnProtocol === protocol || socket.destroy());
  return socket;
}
