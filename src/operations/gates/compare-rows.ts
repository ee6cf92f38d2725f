import { label, readTables } from '../../postgres/catalogue.ts';
import { compareData, type DataComparison } from '../../postgres/compare/index.ts';
import { mapTables } from '../../postgres/mapping.ts';
import type { Context } from '../engine/context.ts';
import { cross } from '../engine/cross.ts';

export interface Budget {
  /** Milliseconds after which no new part is compared; the result says what was left. */
  readonly budget?: number | undefined;
  /** Share of each table to compare, 0 to 1. */
  readonly sample?: number | undefined;
}

/**
 * Compares all tables that both colours have, or those that are `wanted` of them, by `schema.table`; partitions where
 * they are `leaves`, quoted.
 */
export async function compareRows(
  c: Context,
  options: Budget = {},
  wanted: (table: string) => boolean = () => true,
  leaves: readonly string[] = [],
): Promise<DataComparison> {
  const live = await c.on(c.live, (client) => readTables(client, leaves));
  const candidate = await c.on(c.idle, (client) => readTables(client, leaves));
  const { common } = mapTables(live, candidate, 'forward');
  const { reader, locker } = await c.readers(c.live);
  return c.keeping([c.live, c.idle], async () =>
    compareData({
      live: reader,
      locker,
      candidate: (await c.readers(c.idle)).reader,
      tables: common
        .filter(({ from: table }) => wanted(label(table)))
        .map((pair) => ({ live: pair.from, candidate: pair.to, columns: pair.columns })),
      ...(options.budget === undefined ? {} : { budgetMs: options.budget }),
      ...(options.sample === undefined ? {} : { sample: options.sample }),
      passed: serial(async () => void (await cross(c))),
      onProgress: ({ table, bytes, totalBytes }) =>
        c.emit({ type: 'progress', step: 'data', done: bytes, total: totalBytes, unit: 'bytes', note: table }),
      signal: c.signal,
    }),
  );
}

/** One at a time: the kept connections serve one query after the other, and the barrier has one marker. */
function serial(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => (last = last.catch(() => undefined).then(work));
}
