import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withPooledSession } from '../../postgres/session.ts';
import { ignoring } from './ignore.ts';
import type { LoadOperation } from './load.ts';

export interface Piece {
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface ClientsPlan {
  /** In turn: as whom, and what. */
  readonly roles: readonly { readonly as: ConnectionSettings; readonly next: () => Piece }[];
  /** Connections at most. */
  readonly clients: number;
  /** Statements a second of all together. They arrive by the clock, whether or not those before were answered. */
  readonly rate: number;
}

interface Arrival extends Piece {
  readonly at: number;
  readonly begun: number;
}

/** A role's sessions, and what has arrived for them, by its text. */
interface Desk {
  readonly as: ConnectionSettings;
  readonly next: () => Piece;
  readonly waiting: Map<string, Arrival[]>;
  readonly busy: Map<string, number>;
  readonly idle: (() => void)[];
}

/** Milliseconds that clients get to end what they do, when they are stopped. */
const grace = 5_000;
/** Milliseconds between two looks at the clock. */
const tick = 5;
/** Sessions that one text may keep: those that a lock stops leave room for statements that another one would stop. */
const ofOneText = 2;

/**
 * An open load: each statement arrives by the clock, and its time counts from then, so that what waits behind a lock is
 * seen as clients would. Errors are counted and end no client.
 */
export function startClients({ roles, clients, rate }: ClientsPlan): {
  readonly operations: LoadOperation[];
  readonly stop: () => Promise<void>;
} {
  const operations: LoadOperation[] = [];
  const ending = new AbortController();
  const open = new Set<Client>();
  const sessions = new Set<Promise<void>>();
  const desks = roles.map(({ as, next }): Desk => ({ as, next, waiting: new Map(), busy: new Map(), idle: [] }));
  const most = Math.ceil(clients / desks.length);
  const opened = new Map<Desk, number>();
  const arriving = arrive();
  let stopped: Promise<void> | undefined;
  return { operations, stop: () => (stopped ??= stop()) };

  async function arrive(): Promise<void> {
    const [at, begun] = [Date.now(), performance.now()];
    for (let count = 0; !ending.signal.aborted;) {
      for (; count * 1000 < (performance.now() - begun) * rate; count++) {
        const desk = desks[count % desks.length];
        const after = (count * 1000) / rate;
        if (desk) take(desk, { ...desk.next(), at: at + after, begun: begun + after });
      }
      await delay(tick, undefined, { signal: ending.signal }).catch(ignoring);
    }
  }

  function take(desk: Desk, arrival: Arrival): void {
    const queue = desk.waiting.get(arrival.text);
    if (queue) queue.push(arrival);
    else desk.waiting.set(arrival.text, [arrival]);
    const idle = desk.idle.pop();
    if (idle) idle();
    else if ((opened.get(desk) ?? 0) < most) begin(desk);
  }

  function begin(desk: Desk): void {
    opened.set(desk, (opened.get(desk) ?? 0) + 1);
    const running = session(desk)
      .catch(async (error: Error) => {
        operations.push({ at: Date.now(), ms: 0, text: 'connect', error: error.message });
        await delay(100, undefined, { signal: ending.signal }).catch(ignoring);
      })
      .finally(() => {
        opened.set(desk, (opened.get(desk) ?? 0) - 1);
        sessions.delete(running);
      });
    sessions.add(running);
  }

  async function session(desk: Desk): Promise<void> {
    await withPooledSession(desk.as, 'rehearse-load', async (client) => {
      open.add(client);
      try {
        for (let lost = false; !lost && !ending.signal.aborted;) {
          const arrival = next(desk);
          if (arrival) lost = await work(desk, client, arrival);
          else await new Promise<void>((wake) => desk.idle.push(wake));
        }
      } finally {
        open.delete(client);
      }
    });
  }

  function next({ waiting, busy }: Desk): Arrival | undefined {
    let first: Arrival | undefined;
    for (const [text, [earliest]] of waiting)
      if (earliest && (busy.get(text) ?? 0) < ofOneText && !(first && first.begun < earliest.begun)) first = earliest;
    if (first) waiting.get(first.text)?.shift();
    return first;
  }

  /** True where the connection is lost. */
  async function work({ busy }: Desk, client: Client, { text, values = [], at, begun }: Arrival): Promise<boolean> {
    busy.set(text, (busy.get(text) ?? 0) + 1);
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
    } finally {
      busy.set(text, (busy.get(text) ?? 1) - 1);
    }
  }

  async function stop(): Promise<void> {
    ending.abort();
    for (const { idle } of desks) for (const wake of idle.splice(0)) wake();
    const cut = setTimeout(() => {
      for (const client of open) client.connection.stream.destroy();
    }, grace);
    await Promise.all([arriving, ...sessions]).finally(() => clearTimeout(cut));
  }
}
