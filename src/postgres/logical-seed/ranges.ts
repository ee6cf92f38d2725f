import { ident } from '../quote.ts';
import { rows, type Client } from '../client.ts';
import { majorOf } from '../major.ts';

/** An ordinary table or a leaf partition whose rows are to be copied. */
export interface RowSource {
  readonly schema: string;
  readonly name: string;
  /** Those that are stored, in order: generated ones are computed again. */
  readonly columns: readonly string[];
  /** Pages of the heap itself. */
  readonly pages: number;
  /** With TOAST. */
  readonly bytes: number;
  /**
   * Of a configuration table of an extension: which rows are the user's, as a WHERE or nothing; the others CREATE
   * EXTENSION makes.
   */
  readonly condition: string | null;
}

/** Rows of a table by where they lie; without a page after the last one, all that follow. */
export interface PageRange {
  readonly table: RowSource;
  readonly from: number;
  readonly to: number | undefined;
  /** About how much is read for it. */
  readonly bytes: number;
}

/** Bytes of a table that are copied by one statement: some seconds, so that a pause between two is felt. */
const rangeBytes = 64 * 1024 ** 2;

/** A server before this major reads the whole table for each range of ctid. */
const tidRanges = 14;

/**
 * Everything that holds rows, as pg_dump sees it; histories of migration tools with it, for they belong to the schema
 * that is dumped.
 */
export function readSources(live: Client): Promise<RowSource[]> {
  return rows<RowSource>(
    live,
    `
    SELECT n.nspname AS schema, c.relname AS name,
      coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '[]') AS columns,
      (pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS pages, pg_table_size(c.oid)::float8 AS bytes,
      config.condition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN (SELECT k.oid, e.extcondition[k.place] AS condition FROM pg_extension e
        CROSS JOIN unnest(e.extconfig) WITH ORDINALITY AS k(oid, place)) AS config ON config.oid = c.oid
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'verdigris')
      AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'
      AND (config.oid IS NOT NULL OR NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
}

/** The largest first, so that no worker is left alone with one at the end. */
export async function planRanges(live: Client, sources: readonly RowSource[], size = rangeBytes): Promise<PageRange[]> {
  const major = await majorOf(live);
  return sources
    .flatMap((table) =>
      cut(table, major < tidRanges || table.condition !== null ? 1 : Math.max(1, Math.ceil(table.bytes / size))),
    )
    .toSorted((a, b) => b.bytes - a.bytes);
}

function cut(table: RowSource, wanted: number): PageRange[] {
  const count = Math.max(1, Math.min(wanted, table.pages));
  const start = (place: number) => Math.floor((table.pages * place) / count);
  return Array.from({ length: count }, (_, place) => ({
    table,
    from: start(place),
    // A table grows meanwhile; what the snapshot shows of it is found wherever it lies.
    to: place === count - 1 ? undefined : start(place + 1),
    bytes: table.bytes / count,
  }));
}

export function copyOut({ table, from, to }: PageRange): string {
  const bounds = [
    ...(from > 0 ? [`ctid >= '(${from},0)'::tid`] : []),
    ...(to === undefined ? [] : [`ctid < '(${to},0)'::tid`]),
  ];
  const where = bounds.length === 0 ? (table.condition ?? '') : `WHERE ${bounds.join(' AND ')}`;
  return `COPY (SELECT ${list(table)} FROM ONLY ${ident(table.schema, table.name)} ${where}) TO STDOUT`;
}

export function copyIn({ table }: PageRange): string {
  const columns = table.columns.length === 0 ? '' : ` (${list(table)})`;
  return `COPY ${ident(table.schema, table.name)}${columns} FROM STDIN`;
}

function list({ columns }: RowSource): string {
  return columns.map((column) => ident(column)).join(', ');
}
