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

interface Again {
  /** Milliseconds from the first attempt within which another is made. */
  readonly within: number;
  /** Milliseconds between two. */
  readonly every: number;
}

/**
 * EAI_AGAIN is getaddrinfo's word for a name whose server had no answer just now. 53300 too_many_connections: those that
 * log in count before they are refused, also against the connections that are kept for superusers. 25P04
 * transaction_timeout: of postgresql.conf, which holds while PostgreSQL lets somebody in, before he can set another.
 */
const again: Readonly<Record<string, Again>> = {
  EAI_AGAIN: { within: 3_000, every: 200 },
  ETIMEDOUT: { within: 7_000, every: 200 },
  '53300': { within: 3_000, every: 50 },
  '25P04': { within: 10_000, every: 50 },
};

const never: Again = { within: 0, every: 0 };

export function passesWithin(error: unknown): Again {
  return again[(error as { code?: string }).code ?? ''] ?? never;
}

/** Why nobody takes a connection at an address; undefined where somebody does. */
export function refusalAt(host: string, port: number): Promise<string | undefined> {
  const socket = dial();
  return new Promise<string | undefined>((resolve) => {
    socket.once('error', ({ message }) => resolve(message));
    socket.connect(port, host, () => resolve(undefined));
  }).finally(() => socket.destroy());
}
