import { Socket } from 'node:net';
import { whenSilent } from '../model/wait.ts';

/** Milliseconds that the machine of a server has to take a connection; its server's own answer comes after that. */
const takenWithin = 3_000;

/**
 * A socket that ends with ETIMEDOUT where nobody takes its connection. A server that was started again at another
 * address is found by the next attempt alone: the first goes on to where it was.
 */
export function dial(): Socket {
  const socket = new Socket();
  const begin = () => whenSilent(takenWithin, () => socket.destroy(nobody()));
  let end = begin();
  socket.once('lookup', () => {
    end();
    end = begin();
  });
  for (const event of ['connect', 'close']) socket.once(event, () => end());
  return socket;
}

function nobody(): Error {
  return Object.assign(new Error(`nobody took the connection within ${takenWithin / 1_000} s`), { code: 'ETIMEDOUT' });
}

/**
 * Milliseconds from the first attempt within which another is made. EAI_AGAIN is getaddrinfo's word for a name whose
 * server had no answer just now.
 */
const again: Readonly<Record<string, number>> = { EAI_AGAIN: 3_000, ETIMEDOUT: 7_000 };

export function passesWithin(error: unknown): number {
  return again[(error as { code?: string }).code ?? ''] ?? 0;
}

/** Why nobody takes a connection at an address; undefined where somebody does. */
export function refusalAt(host: string, port: number): Promise<string | undefined> {
  const socket = dial();
  return new Promise<string | undefined>((resolve) => {
    socket.once('error', ({ message }) => resolve(message));
    socket.connect(port, host, () => resolve(undefined));
  }).finally(() => socket.destroy());
}
