import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';

/** How a release's software names the two columns that change. */
export interface Shape {
  readonly name: string;
  readonly age: string;
}

export const oldShape: Shape = { name: 'name', age: 'age' };
export const newShape: Shape = { name: 'full_name', age: 'age_big' };

export interface Told {
  /** Acknowledged rows by id, with the name that was written. */
  readonly rows: Map<number, string>;
  /** Increments of each shared row: acknowledged ones, and those of which nobody knows. */
  readonly counts: Map<number, { known: number; unknown: number }>;
  readonly errors: string[];
}

export function told(): Told {
  return { rows: new Map(), counts: new Map(), errors: [] };
}

/** Rows that writers of both shapes change at the same time. */
export const shared = 20;

/**
 * One client of a release's software: row after row of its own, and in the same transaction one more on a shared row.
 * What was acknowledged is written down. Ends with `stop`, and then waits for the write under way.
 */
export function startSoftware(
  settings: ConnectionSettings,
  shape: Shape,
  first: number,
  log: Told,
): { stop(): Promise<void>; readonly written: () => number } {
  let stopping = false;
  let written = 0;
  let id = first;
  const write = async (client: Client): Promise<void> => {
    const [own, row] = [id++, 1 + (id % shared)];
    const count = log.counts.get(row) ?? { known: 0, unknown: 0 };
    log.counts.set(row, count);
    let committing = false;
    try {
      await client.query('BEGIN');
      await client.query(`INSERT INTO shop.person (id, ${shape.name}, ${shape.age}) VALUES ($1, $2, $3)`, [
        own,
        `made ${own}`,
        own % 1000,
      ]);
      await client.query(`UPDATE shop.person SET ${shape.name} = $2 WHERE id = $1`, [own, `kept ${own}`]);
      await client.query(`UPDATE shop.person SET ${shape.age} = ${shape.age} + 1 WHERE id = $1`, [row]);
      committing = true;
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new Error(`COMMIT was answered with ${command}`);
      log.rows.set(own, `kept ${own}`);
      count.known += 1;
      written += 1;
    } catch (error) {
      if (committing) count.unknown += 1;
      log.errors.push(String(error));
      throw error;
    }
  };
  const running = (async () => {
    while (!stopping) {
      await withClient(settings, 'software', async (client) => {
        // Not as fast as it goes: that would take the machine from what is watched here.
        for (; !stopping; await sleep(5)) await write(client);
      }).catch(() => undefined);
    }
  })();
  return {
    written: () => written,
    stop: async () => {
      stopping = true;
      await running;
    },
  };
}
