import { ignoredSchemas, label, qualified } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { isHistory } from '../tool-history/known.ts';

/** Condition on `pg_namespace n`: the schemas whose tables replication carries. */
export const userSchemas = `(n.nspname NOT IN (${ignoredSchemas}) AND n.nspname !~ '^pg_(temp|toast)')`;

/** A relation by its two names, for label() and qualified(). */
export interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Order of findings' objects, with pg_class as c; the same in every locale. */
export const byName = 'ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"';

/** One physical table, each partition for itself: what logical decoding and apply work with. */
export interface PhysicalTable {
  /** `schema.table`, for people. */
  readonly label: string;
  /** Quoted and qualified, for statements. */
  readonly name: string;
  readonly identity: 'default' | 'index' | 'full' | 'nothing';
  /** A valid, immediate primary key: the only one that serves as the default identity. */
  readonly primaryKey: boolean;
  readonly deferrableKey: boolean;
  readonly identityIndex: boolean;
  /**
   * Quoted name of an index that REPLICA IDENTITY USING INDEX accepts, the narrowest; undefined where there is none.
   */
  readonly usableIndex: string | undefined;
  /** Columns whose type has no equality of btree or hash, which apply needs to find a row by its whole content. */
  readonly incomparable: readonly string[];
  readonly bytes: number;
  /** The partitioned table that this is a partition of. */
  readonly root: string | undefined;
}

/**
 * Types whose values apply cannot compare: tuples_equal() of execReplication.c asks the type cache for an equality
 * operator, which is found through the default btree or hash class of the type, of a type it is binary-coercible to, or
 * of its polymorphic kind; arrays, domains and rows need it of what they are made of. Docs: "Logical Replication /
 * Publication", on replica identity FULL.
 */
const incomparableTypes = `
  used AS (
    SELECT DISTINCT a.atttypid AS type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND ${userSchemas}),
  part(type, inside) AS (
    SELECT type, type FROM used
    UNION
    SELECT p.type, deeper.oid FROM part p JOIN pg_type t ON t.oid = p.inside CROSS JOIN LATERAL (
      SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0
      UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS deeper),
  incomparable AS (
    SELECT DISTINCT p.type FROM part p JOIN pg_type t ON t.oid = p.inside
    WHERE t.typtype = 'b' AND t.typcategory <> 'A' AND NOT EXISTS (
      SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod WHERE m.amname IN ('btree', 'hash') AND o.opcdefault AND (o.opcintype = t.oid
        OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = t.oid AND k.casttarget = o.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))))`;

interface Row extends Omit<PhysicalTable, 'label' | 'name' | 'usableIndex' | 'root'> {
  readonly schema: string;
  readonly table: string;
  readonly index: string | null;
  readonly root: readonly [string, string] | null;
}

export async function physicalTables(client: Client): Promise<PhysicalTable[]> {
  const found = await rows<Row>(
    client,
    `
    WITH RECURSIVE ${incomparableTypes}
    SELECT n.nspname AS schema, c.relname AS table, CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'i' THEN 'index'
      WHEN 'f' THEN 'full' ELSE 'nothing' END AS identity,
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate AND i.indisvalid) AS "primaryKey",
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate) AS "deferrableKey",
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid) AS "identityIndex",
      (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
          AND NOT EXISTS (SELECT FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) AS k(number)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE NOT a.attnotnull)
        ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname COLLATE "C" LIMIT 1) AS index,
      coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a JOIN incomparable b ON b.type = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '[]') AS incomparable,
      pg_relation_size(c.oid)::float8 AS bytes,
      (SELECT json_build_array(rn.nspname, rc.relname) FROM pg_class rc
        JOIN pg_namespace rn ON rn.oid = rc.relnamespace WHERE c.relispartition AND rc.oid = pg_partition_root(c.oid)) AS root
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${userSchemas} AND NOT coalesce(${isHistory}, false)
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  return found.map(({ schema, table: name, index, root, ...rest }) => ({
    ...rest,
    label: label({ schema, name }),
    name: qualified({ schema, name }),
    usableIndex: index === null ? undefined : ident(index),
    root: root ? ident(...root) : undefined,
  }));
}
