import { readerRole, streamPattern } from '../model/names.ts';
import { one, rows, type Client } from './client.ts';
import { majorOf } from './major.ts';

/** What was written to a table, by operation. */
export interface LocalChanges {
  readonly schema: string;
  readonly name: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly truncated: number;
  /** Numbers of the transactions that wrote it. */
  readonly transactions: readonly string[];
}

const oid = (at: string): string => `('x' || encode(substring(data FROM ${at} FOR 4), 'hex'))::bit(32)::bigint`;

/** Of the slot $1 and the publication $2. Before 16 all that replication brought is sent, and left out here. */
const text = (major: number): string => `
  WITH seen AS MATERIALIZED (
    SELECT xid::text AS xid, chr(get_byte(data, 0)) AS kind, data
    FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2${major < 16 ? '' : ", 'origin', 'none'"})
    WHERE chr(get_byte(data, 0)) IN ('O', 'I', 'U', 'D', 'T')),
  own AS (SELECT * FROM seen WHERE xid NOT IN (SELECT s.xid FROM seen s WHERE s.kind = 'O') AND kind <> 'O'),
  changed AS (
    SELECT xid, kind, ${oid('2')} AS relation FROM own WHERE kind <> 'T'
    UNION ALL SELECT xid, kind, ${oid('7 + 4 * place')} FROM own CROSS JOIN LATERAL generate_series(0, ${oid('2')}::int - 1) AS place WHERE kind = 'T')
  SELECT n.nspname AS schema, c.relname AS name, count(*) FILTER (WHERE kind = 'I')::float8 AS inserted, count(*)
    FILTER (WHERE kind = 'U')::float8 AS updated,
    count(*) FILTER (WHERE kind = 'D')::float8 AS deleted, count(*) FILTER (WHERE kind = 'T')::float8 AS truncated,
    array_agg(DISTINCT xid) AS transactions
  FROM changed JOIN pg_class c ON c.oid = changed.relation::oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname <> 'verdigris' GROUP BY 1, 2 ORDER BY 1, 2`;

/**
 * What a slot of pgoutput has seen of a publication's tables, without what came by replication: such a transaction
 * names its origin. Only counts leave the server. The messages as in the documentation, "Logical Replication Message
 * Formats": kind in the first byte, the relation in the four behind it; TRUNCATE lists its relations behind their
 * number and its options.
 */
export async function localChanges(client: Client, slot: string, publication: string): Promise<LocalChanges[]> {
  const { reader } = await one<{ reader: boolean }>(client, 'SELECT session_user = $1 AS reader', [readerRole]);
  return rows<LocalChanges>(
    client,
    reader ? 'SELECT * FROM verdigris.local_changes($1, $2)' : text(await majorOf(client)),
    [slot, publication],
  );
}

/**
 * Has the reader ask for it too, of a witness alone. To look into a slot takes REPLICATION, and whoever has that copies
 * the whole server.
 */
export async function showLocalChanges(operator: Client): Promise<void> {
  await operator.query(`
    CREATE OR REPLACE FUNCTION verdigris.local_changes(slot name, publication text)
    RETURNS TABLE (schema name, name name, inserted float8, updated float8, deleted float8, truncated float8, transactions text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
    #variable_conflict use_column
    BEGIN
      IF slot !~ '${streamPattern}' OR slot !~ '_proof$' THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s is no slot that watches a candidate', slot);
      END IF;
      RETURN QUERY ${text(await majorOf(operator))};
    END $f$;
    REVOKE ALL ON FUNCTION verdigris.local_changes(name, text) FROM PUBLIC;
    DO $do$ BEGIN
      IF to_regrole('${readerRole}') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION verdigris.local_changes(name, text) TO ${readerRole};
      END IF;
    END $do$`);
}
