import { label } from '../../postgres/catalogue.ts';
import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { referencedBy, type TableScans } from '../../postgres/row-reads.ts';
import type { RowWrites } from '../../postgres/row-writes.ts';
import { carriedAmong, temporaryAmong } from './carried.ts';
import { fits } from './judge.ts';
import type { DataPolicy } from './policy.ts';
import type { DataStatement } from './read.ts';

/** Of what was written, rows that both colours have, changed in what both have of them. */
export async function sharedWrites(
  client: Client,
  { data, named }: { readonly data: DataStatement; readonly named: readonly string[] },
  { live }: DataPolicy,
  writes: readonly RowWrites[],
): Promise<RowWrites[]> {
  const shared = writes.filter(({ table }) => live.some((each) => label(each) === table));
  if (shared.length === 0) return [];
  const onlyNew = data.targets.filter(({ columns }) => columns !== undefined);
  const changed = await firedTriggers(
    client,
    shared.map(({ table }) => table),
  );
  return shared.filter(
    ({ table, inserted, deleted }) =>
      inserted + deleted > 0 ||
      changed.has(table) ||
      named.includes(table) ||
      // Judged by its columns already: they are new.
      !onlyNew.some(({ name }) => table.endsWith(`.${name}`)),
  );
}

/** Tables with a trigger that may change other columns of a row that is updated, `updated_at` mostly. */
async function firedTriggers(client: Client, tables: readonly string[]): Promise<Set<string>> {
  const seen = await withFixedPath(client, () =>
    rows<{ table: string }>(
      client,
      `SELECT DISTINCT n.nspname || '.' || c.relname AS table FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname || '.' || c.relname = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 19 = 19`,
      [tables],
    ),
  );
  return new Set(seen.map(({ table }) => table));
}

/**
 * A table of the live colour whose rows it read by a function, to make rows of what it wrote: rows that arrive later
 * would be missing. Rows that a foreign key looks up are there already, and what an UPDATE fills it reads once.
 */
export async function restedOn(
  client: Client,
  { fill, targets }: DataStatement,
  { live }: DataPolicy,
  { writes, result: reads }: { readonly writes: readonly RowWrites[]; readonly result: readonly TableScans[] },
): Promise<{ readonly table: string; readonly session?: string } | undefined> {
  if (writes.length === 0 || reads.length === 0) return undefined;
  const lookedUp = await referencedBy(
    client,
    writes.map(({ table }) => table),
  );
  const found = reads.find(
    ({ table, scans }) =>
      live.some((each) => label(each) === table) &&
      !lookedUp.includes(table) &&
      !(fill && scans === 1 && targets.some((target) => fits(target, table))),
  );
  if (found) return { table: found.table };
  const carried = await carriedAmong(client, temporaryAmong(reads));
  return carried && { table: carried.table, session: `the temporary table ${carried.name}` };
}
