import { rows, withFixedPath, type Client } from './client.ts';
import { counted } from './counted.ts';

/** How often a table, or an index of it, was read from; of a partition by itself. Temporary ones are in `pg_temp_…`. */
export interface TableScans {
  /** `schema.table`, of a partition its root. */
  readonly table: string;
  readonly scans: number;
}

/** All that `work` reads of tables in the caller's transaction, by functions, views and triggers too. */
export async function countScans<T>(
  client: Client,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly reads: TableScans[] }> {
  const { result, risen } = await counted(['scans'], () => scansSoFar(client), work);
  return { result, reads: risen.map(({ table, scans }) => ({ table, scans })) };
}

function scansSoFar(client: Client): Promise<(TableScans & { readonly key: string })[]> {
  return withFixedPath(client, () =>
    rows(
      client,
      `SELECT c.oid::text AS key, n.nspname || '.' || r.relname AS table, x.scans FROM pg_class c
      CROSS JOIN LATERAL (SELECT pg_stat_get_xact_numscans(c.oid)
        + coalesce((SELECT sum(pg_stat_get_xact_numscans(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid), 0) AS scans) AS own
      CROSS JOIN LATERAL (SELECT own.scans::float8 AS scans) AS x
      JOIN pg_class r ON r.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END
      JOIN pg_namespace n ON n.oid = r.relnamespace
      WHERE c.relkind = 'r' AND n.nspname <> 'verdigris' AND (c.relpersistence = 't' OR n.nspname !~ '^pg_') AND x.scans > 0`,
    ),
  );
}

/** Tables that the rows of these refer to, whose rows are looked up for that. */
export async function referencedBy(client: Client, tables: readonly string[]): Promise<string[]> {
  const found = await withFixedPath(client, () =>
    rows<{ table: string }>(
      client,
      `SELECT DISTINCT fn.nspname || '.' || f.relname AS table FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
      WHERE k.contype = 'f' AND n.nspname || '.' || c.relname = ANY ($1)`,
      [tables],
    ),
  );
  return found.map(({ table }) => table);
}

/** Whether a function of one of these names, not PostgreSQL's own, may read tables. */
export async function mayReadTables(client: Client, names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return false;
  const found = await withFixedPath(client, () =>
    rows(
      client,
      "SELECT FROM pg_proc WHERE proname = ANY ($1) AND provolatile <> 'i' AND pronamespace <> 'pg_catalog'::regnamespace LIMIT 1",
      [names],
    ),
  );
  return found.length > 0;
}

/** Views and materialized views, each with the tables that it is made of, as `schema.table`. */
export interface ViewTables {
  readonly view: string;
  readonly tables: readonly string[];
}

/** Of these names, or all. */
export function readViewTables(client: Client, names?: readonly string[]): Promise<ViewTables[]> {
  if (names?.length === 0) return Promise.resolve([]);
  return withFixedPath(client, () =>
    rows<ViewTables>(
      client,
      `WITH RECURSIVE reached AS (
        SELECT v.oid AS view, v.oid AS relation FROM pg_class v WHERE v.relkind IN ('v', 'm') ${names ? 'AND v.relname = ANY ($1)' : ''}
        UNION SELECT x.view, d.refobjid FROM reached x JOIN pg_rewrite r ON r.ev_class = x.relation JOIN pg_depend d
          ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
      )
      SELECT vn.nspname || '.' || v.relname AS view, array_agg(DISTINCT tn.nspname || '.' || t.relname) AS tables FROM reached x
        JOIN pg_class v ON v.oid = x.view JOIN pg_namespace vn ON vn.oid = v.relnamespace
        JOIN pg_class t ON t.oid = x.relation AND t.relkind IN ('r', 'p') JOIN pg_namespace tn ON tn.oid = t.relnamespace
      WHERE vn.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1`,
      names ? [names] : [],
    ),
  );
}
