import { setTimeout as delay } from 'node:timers/promises';
import { withPooledSession, type Client, type ConnectionSettings } from '../../postgres/client.ts';
import { ignoring } from './ignore.ts';
import type { LoadOperation } from './load.ts';

export interface Piece {
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface ClientsPlan {
  /** One connection for each. */
  readonly clients: readonly { readonly as: ConnectionSettings; readonly next: () => Piece }[];
  /** Statements a second of all clients together; a client that is blocked does not catch up. */
  readonly rate: number;
}

/** Milliseconds that clients get to end what they do, when they are stopped. */
const grace = 5_000;

/** Clients that work through pieces at a steady pace, each measured. Errors are counted and do not end a client. */
export function startClients({ clients, rate }: ClientsPlan): {
  readonly operations: LoadOperation[];
  readonly stop: () => Promise<void>;
} {
  const operations: LoadOperation[] = [];
  const ending = new AbortController();
  const open = new Set<Client>();
  const pace = (1000 * clients.length) / rate;
  const all = clients.map(async ({ as, next }, place) => {
    await delay((pace * place) / clients.length, undefined, { signal: ending.signal }).catch(ignoring);
    while (!ending.signal.aborted)
      await session(as, next).catch((error: Error) =>
        operations.push({ at: Date.now(), ms: 0, text: 'connect', error: error.message }),
      );
  });
  let stopped: Promise<void> | undefined;
  return { operations, stop: () => (stopped ??= stop()) };

  async function session(as: ConnectionSettings, next: () => Piece): Promise<void> {
    try {
      await withPooledSession(as, 'rehearse-load', async (client) => {
        open.add(client);
        try {
          for (let lost = false; !lost && !ending.signal.aborted;) {
            const begun = performance.now();
            lost = await work(client, next());
            await delay(Math.max(1, pace - (performance.now() - begun)), undefined, { signal: ending.signal }).catch(
              ignoring,
            );
          }
        } finally {
          open.delete(client);
        }
      });
    } catch (error) {
      await delay(pace * 4, undefined, { signal: ending.signal }).catch(ignoring);
      throw error;
    }
  }

  /** True where the connection is lost. */
  async function work(client: Client, { text, values = [] }: Piece): Promise<boolean> {
    const at = Date.now();
    const begun = performance.now();
    try {
      await client.query(text, values as unknown[]);
      operations.push({ at, ms: performance.now() - begun, text });
      return false;
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      // Cut off by our own end.
      if (!ending.signal.aborted || code !== undefined)
        operations.push({
          at,
          ms: performance.now() - begun,
          text,
          error: `${message}${code === undefined ? '' : ` (${code})`}`,
        });
      return code === undefined || code.startsWith('57P');
    }
  }

  async function stop(): Promise<void> {
    ending.abort();
    const cut = setTimeout(() => {
      for (const client of open) client.connection.stream.destroy();
    }, grace);
    await Promise.all(all).finally(() => clearTimeout(cut));
  }
}
