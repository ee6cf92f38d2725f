import { setTimeout as delay } from 'node:timers/promises';
import { rows, type Client } from '../../src/postgres/client.ts';

/** Milliseconds between two looks: short beside what tests wait for, long beside what a look costs. */
const pause = 5;

/** Waits for a condition and gives what `look` found; throws after `limit` ms, saying what was waited for. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limit = 30_000,
): Promise<T> {
  for (const end = performance.now() + limit; ; await delay(pause)) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
  }
}

/** Waits until a query gives a row: another process brings it about. */
export async function untilRow(client: Client, query: string, values: readonly unknown[] = []): Promise<void> {
  await until(`a row of ${query}`, async () => (await rows(client, query, [...values])).length > 0);
}
