import { rows, type Client } from './client.ts';
import { counted } from './counted.ts';
import { isHistory } from './tool-history/known.ts';

/** Rows that were written in a table, a partition's counted for its root; TRUNCATE is not counted. */
export interface RowWrites {
  /** `schema.table`. */
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * All that `work` writes to tables in the caller's transaction, by triggers and keys too: PostgreSQL's own counters of
 * it.
 */
export async function countWrites<T>(
  client: Client,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly writes: RowWrites[] }> {
  // They are on unless somebody turned them off, which takes a superuser to turn back.
  await client.query(
    "SELECT pg_catalog.set_config('track_counts', 'on', true) WHERE pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'off'",
  );
  return rowsWritten(() => counters(client, 'xact_'), work);
}

/** As `countWrites`, of a tool whose sessions have ended, on a server where nobody else writes; without its history. */
export function countCommitted<T>(
  client: Client,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly writes: RowWrites[] }> {
  return rowsWritten(() => counters(client, '', `AND NOT coalesce(${isHistory}, false)`), work);
}

type WrittenSoFar = Omit<RowWrites, 'table'> & { readonly key: string };

async function rowsWritten<T>(
  read: () => Promise<WrittenSoFar[]>,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly writes: RowWrites[] }> {
  const { result, risen } = await counted(['inserted', 'updated', 'deleted'], read, work);
  return {
    result,
    writes: risen.map(({ key: table, inserted, updated, deleted }) => ({ table, inserted, updated, deleted })),
  };
}

/** Qualified: it is asked between the user's statements, where names and operators are found as theirs are. */
function counters(client: Client, of: 'xact_' | '', where = ''): Promise<WrittenSoFar[]> {
  return rows<WrittenSoFar>(
    client,
    `SELECT pg_catalog.concat(n.nspname, '.', r.relname) AS key, pg_catalog.sum(x.inserted)::float8 AS inserted,
      pg_catalog.sum(x.updated)::float8 AS updated, pg_catalog.sum(x.deleted)::float8 AS deleted
    FROM pg_catalog.pg_class c
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_stat_get_${of}tuples_inserted(c.oid) AS inserted,
      pg_catalog.pg_stat_get_${of}tuples_updated(c.oid) AS updated, pg_catalog.pg_stat_get_${of}tuples_deleted(c.oid) AS deleted) AS x
    JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::oid ELSE c.oid END
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
    WHERE c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
    AND n.nspname OPERATOR(pg_catalog.<>) 'verdigris' AND n.nspname OPERATOR(pg_catalog.!~) '^pg_'
    AND GREATEST(x.inserted, x.updated, x.deleted) OPERATOR(pg_catalog.>) 0 ${where} GROUP BY 1`,
  );
}
