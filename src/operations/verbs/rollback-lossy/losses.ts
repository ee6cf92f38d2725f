import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { readTables } from '../../../postgres/catalogue.ts';
import type { Client } from '../../../postgres/client.ts';
import { exportDifferences, type LossCount, type TablePair } from '../../../postgres/export-differences.ts';
import { mapTables } from '../../../postgres/mapping.ts';
import type { Context } from '../../engine/context.ts';

/**
 * Rows that differ, by table, of those that both colours have, or of those that only the live one has; written to `file`
 * where one is given.
 */
export async function losses(c: Context, of: 'common' | 'alone', file?: string): Promise<LossCount[]> {
  const out = file === undefined ? undefined : createWriteStream(file, { mode: 0o600, flush: true });
  const counts = await c.asReader(c.live, (lost) =>
    c.asReader(c.idle, async (kept) => {
      const pairs = await tablePairs(kept, lost, of);
      const all: LossCount[] = [];
      for (const pair of pairs) {
        all.push(await exportDifferences(kept, lost, pair, out));
        c.emit({
          type: 'progress',
          step: 'export',
          done: all.length,
          total: pairs.length,
          unit: 'items',
          note: pair.lost.name,
        });
      }
      return all;
    }),
  );
  if (out) {
    out.end();
    await finished(out);
  }
  return counts.filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

async function tablePairs(kept: Client, lost: Client, of: 'common' | 'alone'): Promise<TablePair[]> {
  const [theirs, ours] = [await readTables(kept), await readTables(lost)];
  const { common } = mapTables(theirs, ours, 'reverse');
  if (of === 'common') return common.map(({ from, to, columns }) => ({ kept: from, lost: to, columns }));
  return ours
    .filter((table) => !common.some(({ to }) => to === table))
    .map((table) => ({ kept: undefined, lost: table, columns: table.columns.map(({ name }) => name) }));
}

/** Rows, of all tables together. */
export function lostRows(counts: readonly LossCount[]): number {
  return counts.reduce((total, { inserted, updated, deleted }) => total + inserted + updated + deleted, 0);
}
