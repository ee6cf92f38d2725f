import type { Writable } from 'node:stream';
import { label, ownRows } from './catalogue.ts';
import { rows, withTransaction, type Client } from './client.ts';
import { columnText } from './column-text.ts';
import type { LossCount, TablePair } from './export-differences.ts';
import type { LostRow } from './lost-rows.ts';
import { hasMore, moreColumns, writtenSince } from './more-columns.ts';

/** Rows fetched at once. */
const batch = 500;

/**
 * Writes what rows hold in columns that only `lost` has, with what a row is found by, as JSON lines to `out` where it is
 * given. One statement reads them all: replication may go on meanwhile, which leaves these columns as they are.
 */
export async function exportColumns(
  lost: Client,
  pair: TablePair,
  out?: Writable,
  database?: string,
): Promise<LossCount> {
  const count: LossCount = { table: label(pair.lost), inserted: 0, updated: 0, deleted: 0 };
  const more = moreColumns(pair.lost, pair.kept);
  if (more.length === 0) return count;
  const key = keyOf(pair);
  const texts = [...key, ...more].map((name) => columnText('r', name)).join(', ');
  const condition = `(${await hasMore(lost, pair)}) AND ${writtenSince(pair.since)}`;
  await withTransaction(
    lost,
    async () => {
      await lost.query(
        `DECLARE left_values NO SCROLL CURSOR FOR
        SELECT ARRAY[${texts}]::text[] AS values FROM ${ownRows(pair.lost)} r WHERE ${condition}`,
      );
      for (;;) {
        const some = await rows<{ values: (string | null)[] }>(lost, `FETCH ${batch} FROM left_values`);
        if (some.length === 0) break;
        count.updated += some.length;
        for (const { values } of some) {
          const named = (names: readonly string[], from: number): Record<string, string | null> =>
            Object.fromEntries(names.map((name, place) => [name, values[from + place] ?? null]));
          const line: LostRow = {
            table: label(pair.lost),
            ...(database === undefined ? {} : { database }),
            relation: [pair.lost.schema, pair.lost.name],
            kind: 'columns',
            row: named(more, key.length),
            before: named(key, 0),
          };
          if (out && !out.write(`${JSON.stringify(line)}\n`))
            await new Promise((resolve) => out.once('drain', resolve));
        }
      }
    },
    'READ ONLY',
  );
  return count;
}

/** By its primary key, else what replication finds it by, else by all that both colours have. */
function keyOf({ lost, columns }: TablePair): readonly string[] {
  const usable = [lost.primaryKey, lost.identity].find(
    (names) => names.length > 0 && names.every((name) => columns.includes(name)),
  );
  return usable ?? columns;
}
