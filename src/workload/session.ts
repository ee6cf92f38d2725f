import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { driverSettings, type ConnectionSettings } from '../postgres/connection.ts';

/** A connection lent for one transaction. */
export interface Loan {
  readonly client: pg.ClientBase;
  /** `broken` gives the connection up: what state it is in after a failure is not worth finding out. */
  release(broken: boolean): void;
}

/** Opens or finds a connection; throws where the server does not let it in. */
export type Acquire = () => Promise<Loan>;

export interface SessionOptions {
  readonly settings: ConnectionSettings;
  /** Becomes the application_name. */
  readonly name: string;
  /** Milliseconds to wait for one answer. */
  readonly answerLimit: number;
  /** A connection was lost while nobody used it. */
  readonly onIdleLoss: (error: Error) => void;
}

/** A connection of one's own, opened again after it was lost. */
export function dedicated(options: SessionOptions): Acquire {
  let client: pg.Client | undefined;
  return async () => {
    client ??= await open();
    const lent = client;
    let leased = true;
    lent.removeAllListeners('error').on('error', (error) => {
      if (client === lent) client = undefined;
      if (!leased) options.onIdleLoss(error);
    });
    return {
      client: lent,
      release: (broken) => {
        leased = false;
        if (!broken) return;
        if (client === lent) client = undefined;
        giveUp(lent);
      },
    };
  };

  async function open(): Promise<pg.Client> {
    const opened = new pg.Client(await clientConfig(options));
    opened.on('error', () => undefined);
    try {
      await opened.connect();
    } catch (error) {
      giveUp(opened);
      throw error;
    }
    return opened;
  }
}

/** A pool that keeps its connections open when idle, `size` of them from the start. */
export async function pooled(options: SessionOptions, size: number): Promise<Acquire> {
  const pool = new pg.Pool({ ...(await clientConfig(options)), max: size, min: size, idleTimeoutMillis: 0 });
  // Without a listener of its own a checked-out client that loses its connection ends the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', options.onIdleLoss);
  const all = await Promise.all(Array.from({ length: size }, async () => pool.connect()));
  for (const client of all) client.release();
  return async () => {
    const client = await pool.connect();
    return { client, release: (broken) => client.release(broken) };
  };
}

/**
 * Tries until there is a connection or the signal says stop (undefined): 10 ms, then twice as long each time, 320 ms at
 * most.
 */
export async function acquireAgain(
  acquire: Acquire,
  stop: AbortSignal,
  onError: (error: unknown) => void,
): Promise<Loan | undefined> {
  for (let wait = 10; !stop.aborted; wait = Math.min(wait * 2, 320)) {
    try {
      return await acquire();
    } catch (error) {
      onError(error);
      await delay(wait, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return undefined;
}

async function clientConfig({ settings, name, answerLimit }: SessionOptions): Promise<pg.ClientConfig> {
  return {
    ...(await driverSettings(settings)),
    application_name: `verdigris/workload ${name}`,
    query_timeout: answerLimit,
    connectionTimeoutMillis: answerLimit,
    keepAlive: true,
  };
}

/** Nobody waits for the farewell: a server that is held or gone would not answer it. */
function giveUp(client: pg.Client): void {
  client.removeAllListeners('error').on('error', () => undefined);
  void client.end().catch(() => undefined);
}
