import { rows, type Client } from '../client.ts';
import { orderOf, type Order } from '../key-order.ts';

/** What hashing and ordering need to know of a column beyond the catalogue's facts. Read under an empty search_path. */
export interface ColumnFacts {
  readonly table: number;
  readonly name: string;
  /** Qualified and quoted, ready for a cast. */
  readonly type: string;
  /** Name of the type at the bottom of any domains, where it is PostgreSQL's own; else qualified. */
  readonly base: string;
  readonly modifier: number;
  /** Provider, locale and version of what orders the column; null where it has no collation. */
  readonly collation: string | null;
  /** Digest of an enum's oids and labels; null for other types. */
  readonly labels: string | null;
  readonly order: Order | null;
}

export interface TableFacts {
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Of the table with TOAST, all partitions, without indexes. */
  readonly bytes: number;
}

/** Facts of the tables with these oids. */
export async function readFacts(client: Client, oids: readonly number[]): Promise<Map<number, TableFacts>> {
  const columns = await rows<ColumnFacts>(
    client,
    `
    WITH RECURSIVE base(start, oid, modifier) AS (
      SELECT t.oid, t.oid, -1 FROM pg_type t
      UNION ALL
      SELECT b.start, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END
      FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
    )
    SELECT a.attrelid::int8::int AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
      CASE n.nspname WHEN 'pg_catalog' THEN t.typname ELSE format('%I.%I', n.nspname, t.typname) END AS base,
      CASE WHEN a.atttypmod = -1 THEN b.modifier ELSE a.atttypmod END AS modifier,
      CASE WHEN a.attcollation = 0 THEN NULL
        WHEN c.collprovider = 'd' THEN (SELECT concat_ws('|', d.datlocprovider, d.datcollate,
        to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale', pg_database_collation_actual_version(d.oid))
          FROM pg_database d WHERE d.datname = current_database())
        ELSE concat_ws('|', c.collprovider, c.collcollate, to_jsonb(c)->>'colliculocale', to_jsonb(c)->>'colllocale',
        to_jsonb(c)->>'collicurules', c.collisdeterministic, pg_collation_actual_version(c.oid)) END AS collation,
      (SELECT md5(string_agg(e.oid::text || ':' || e.enumlabel, ',' ORDER BY e.oid)) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
      ${orderOf('t.oid')} AS "order"
    FROM pg_attribute a
    JOIN base b ON b.start = a.atttypid JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd' JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_collation c ON c.oid = a.attcollation
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped`,
    [oids],
  );
  const sizes = await rows<{ table: number; bytes: number }>(
    client,
    `
    SELECT c.oid::int8::int AS "table", CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_table_size(p.relid)), 0)
      FROM pg_partition_tree(c.oid) p WHERE p.isleaf)
      ELSE pg_table_size(c.oid) END::float8 AS bytes
    FROM pg_class c WHERE c.oid = ANY ($1::oid[])`,
    [oids],
  );
  return new Map(
    sizes.map(({ table, bytes }) => [
      table,
      {
        bytes,
        columns: new Map(columns.filter((column) => column.table === table).map((column) => [column.name, column])),
      },
    ]),
  );
}
