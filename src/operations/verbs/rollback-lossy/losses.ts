import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { other, type Colour } from '../../../model/colours.ts';
import { readTables } from '../../../postgres/catalogue.ts';
import { one, type Client } from '../../../postgres/client.ts';
import { exportColumns } from '../../../postgres/export-columns.ts';
import { describeSchemaDifference } from '../../../postgres/fingerprint/index.ts';
import { exportDifferences, type LossCount, type TablePair } from '../../../postgres/export-differences.ts';
import { mapTables } from '../../../postgres/mapping.ts';
import { lostHistories } from '../../../postgres/tool-history/lost.ts';
import type { Context } from '../../engine/context.ts';
import { driftOf } from '../../gates/schema.ts';

interface From {
  /** The colour whose rows they are; without it the live one. */
  readonly lost: Colour;
  /** Of tables and columns that it alone has: only rows written by this transaction or a later one. */
  readonly since?: string | undefined;
}

/**
 * Rows that differ, by table: of tables that both colours have, of those that only one has, or in columns that only one
 * has; written to `file` where one is given.
 */
export async function losses(
  c: Context,
  of: 'common' | 'alone' | 'columns',
  file?: string,
  { lost: colour, since }: From = { lost: c.live },
): Promise<LossCount[]> {
  const out = file === undefined ? undefined : createWriteStream(file, { mode: 0o600, flush: true });
  const counts = await c.asReader(colour, (lost) =>
    c.asReader(other(colour), async (kept) => {
      const database = c.isInside ? c.environment.database : undefined;
      const pairs = of === 'alone' ? await tablesAlone(kept, lost, since) : await commonTables(kept, lost);
      const all: LossCount[] = [];
      for (const pair of pairs) {
        all.push(
          of === 'columns'
            ? await exportColumns(lost, { ...pair, since }, out, database)
            : await exportDifferences(kept, lost, pair, out, database),
        );
        c.emit({
          type: 'progress',
          step: 'export',
          done: all.length,
          total: pairs.length,
          unit: 'items',
          note: pair.lost.name,
        });
      }
      if (of === 'common') all.push(...(await writeHistories(lost, out)));
      return all;
    }),
  );
  if (out) {
    out.end();
    await finished(out);
  }
  return counts.filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

/** A tool's history is no replicated table; what belongs to the rows that are lost goes with them. */
async function writeHistories(lost: Client, out: Writable | undefined): Promise<LossCount[]> {
  const lines = await lostHistories(lost);
  for (const line of lines) out?.write(`${JSON.stringify(line)}\n`);
  return [...Map.groupBy(lines, ({ table }) => table)].map(([table, some]) => ({
    table,
    inserted: some.filter(({ kind }) => kind === 'inserted').length,
    updated: 0,
    deleted: some.filter(({ kind }) => kind === 'deleted').length,
  }));
}

/** What no export of rows holds and is gone as well: by name, as of now. */
export async function notRows(c: Context): Promise<string[]> {
  const changed = await driftOf(c, c.live);
  const { objects } = await c.on(c.live, (client) =>
    one<{ objects: string[] }>(
      client,
      "SELECT ARRAY(SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid) AS objects",
    ),
  );
  return [...changed.map(describeSchemaDifference), ...objects];
}

async function commonTables(kept: Client, lost: Client): Promise<TablePair[]> {
  const { common } = mapTables(await readTables(kept), await readTables(lost), 'reverse');
  return common.map(({ from, to, columns }) => ({ kept: from, lost: to, columns }));
}

/** Those that only `lost` has. */
async function tablesAlone(kept: Client, lost: Client, since: string | undefined): Promise<TablePair[]> {
  const ours = await readTables(lost);
  const { common } = mapTables(await readTables(kept), ours, 'reverse');
  return ours
    .filter((table) => !common.some(({ to }) => to === table))
    .map((table) => ({ kept: undefined, lost: table, columns: table.columns.map(({ name }) => name), since }));
}

/** Rows, of all tables together. */
export function lostRows(counts: readonly LossCount[]): number {
  return counts.reduce((total, { inserted, updated, deleted }) => total + inserted + updated + deleted, 0);
}
