import type { ErrorId } from '../../model/error-catalogue.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { label, qualified, readTables, type Table } from '../../postgres/catalogue.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import { comparedByKey, readOrders, type Order } from '../../postgres/key-order.ts';
import type { Backfill } from './files.ts';

/** A backfill as the catalogue of one colour lets it run. */
export interface BackfillPlan {
  readonly backfill: Backfill;
  readonly table: Table;
  readonly key: readonly { readonly name: string; readonly type: string; readonly order: Order | null }[];
  /**
   * Bytes of WAL for one row at worst: after a checkpoint the first change of a page writes the page whole. Two of the
   * table, one of each index.
   */
  readonly mostPerRow: number;
}

/** The backfill's table among those of a catalogue. */
export function tableOf(tables: readonly Table[], { table }: Backfill): Table | undefined {
  const wanted = table.includes('.') ? table : `public.${table}`;
  return tables.find((each) => label(each) === wanted);
}

/** Whether its table is there with all columns that it fills: those that a migration has still to add are missing. */
export function hasTarget(tables: readonly Table[], backfill: Backfill): boolean {
  const table = tableOf(tables, backfill);
  return (
    table !== undefined && backfill.assignments.every(({ column }) => table.columns.some(({ name }) => name === column))
  );
}

/** @throws VerdigrisError `backfill-target`, `backfill-key`. */
export async function planBackfill(client: Client, backfill: Backfill): Promise<BackfillPlan> {
  const tables = await readTables(client);
  const table = tableOf(tables, backfill);
  if (!table || !hasTarget(tables, backfill)) {
    throw refuseBackfill(
      'backfill-target',
      backfill,
      `${backfill.name} fills ${backfill.assignments.map(({ column }) => column).join(', ')} of ${backfill.table}, which is not there.`,
      'a table with all the columns that it fills.',
      'fix the file, or give it a version above that of the migration that adds them.',
    );
  }
  const names = backfill.key ?? table.primaryKey;
  const columns = names.map((name) => table.columns.find((column) => column.name === name));
  const fit =
    names.length > 0 && columns.every((column) => column?.notNull === true) && (await isUnique(client, table, names));
  if (!fit) {
    throw refuseBackfill(
      'backfill-key',
      backfill,
      names.length === 0
        ? `${label(table)} has no primary key.`
        : `${names.join(', ')} of ${label(table)} is not a key: unique by an index of just these columns, and NOT NULL.`,
      'a key that batches can go by, so that each row is met once.',
      backfill.key ? 'name another key in the file.' : 'name a unique key in the file: `key: [id]`.',
    );
  }
  const filled = backfill.assignments.find(({ column }) => names.includes(column));
  if (filled)
    throw refuseBackfill(
      'backfill-key',
      backfill,
      `${backfill.name} fills ${filled.column}, which it goes by.`,
      'a key that stays as it is.',
      'name another key in the file.',
    );
  const { pages, size } = await one<{ pages: number; size: number }>(
    client,
    "SELECT 2 + count(*)::int AS pages, current_setting('block_size')::int AS size FROM pg_index WHERE indrelid = $1::regclass AND indisready",
    [qualified(table)],
  );
  const orders = await readOrders(client, qualified(table));
  return {
    backfill,
    table,
    key: columns.map((column) => ({
      name: column?.name ?? '',
      type: column?.type ?? '',
      order: orders.get(column?.name ?? '') ?? null,
    })),
    mostPerRow: pages * size,
  };
}

async function isUnique(client: Client, table: Table, names: readonly string[]): Promise<boolean> {
  const found = await rows(
    client,
    `
    SELECT FROM pg_index i WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
      FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k(n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n)
        = (SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) n)`,
    [qualified(table), names],
  );
  return found.length > 0;
}

/** SQL that compares a row with a position that was written down as text, by the key. */
export function beside({ key }: BackfillPlan, operator: '<=' | '>', parameter: number): string {
  return comparedByKey(
    key.map(({ type, ...column }, index) => ({ ...column, value: `($${parameter}::text[])[${index + 1}]::${type}` })),
    operator,
  );
}

export function refuseBackfill(
  id: ErrorId,
  { name, path }: Pick<Backfill, 'name' | 'path'>,
  seen: string,
  required: string,
  next: string,
): VerdigrisError {
  return new VerdigrisError(id, { seen, required, next, facts: { backfill: name, file: path } });
}
