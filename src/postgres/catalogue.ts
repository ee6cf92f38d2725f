import { rows, withFixedPath, type Client } from './client.ts';
import { ident } from './quote.ts';
import { remembered } from './seal/remembered.ts';
import { isHistory } from './tool-history/known.ts';

export interface Column {
  /**
   * pg_attribute.attnum: survives a rename, and a copy of the volume, so a rename is not taken for a drop and an add.
   */
  readonly number: number;
  readonly name: string;
  /** As format_type() prints it: `numeric(10,2)`. */
  readonly type: string;
  /** Schema-qualified name of the base type, domains resolved however deep they lie: `pg_catalog.int4`. */
  readonly baseType: string;
  /** The base type with the modifier that holds for it, also where a domain brings it: `numeric(10,2)`. */
  readonly stored: string;
  /** A domain on the way to the base type has a CHECK or NOT NULL. */
  readonly constrained: boolean;
  readonly notNull: boolean;
  /** A default or identity that fills the column where an insert leaves it out. */
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS AS (…) STORED or VIRTUAL: computed on each side, not replicated before PostgreSQL 18. */
  readonly generated: boolean;
}

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  readonly persistence: 'permanent' | 'unlogged';
  readonly columns: readonly Column[];
  /** Columns of the primary key in key order; empty where there is none. */
  readonly primaryKey: readonly string[];
  /**
   * Columns that identify a row for UPDATE and DELETE in replication; empty where the whole row does (FULL) or nothing
   * does.
   */
  readonly identity: readonly string[];
  readonly replicaIdentity: 'default' | 'index' | 'full' | 'nothing';
  /** With indexes and TOAST, of all partitions. */
  readonly bytes: number;
  /** The planner's estimate; -1 where the table was never analyzed. */
  readonly estimatedRows: number;
}

/** Schemas that are never part of the data: PostgreSQL's and ours. */
export const ignoredSchemas = `'pg_catalog', 'information_schema', 'pg_toast', 'verdigris'`;

export function qualified(table: Pick<Table, 'schema' | 'name'>): string {
  return ident(table.schema, table.name);
}

/** As FROM and DELETE name it: without the rows of tables that inherit from it, which are tables of their own. */
export function ownRows(table: Pick<Table, 'schema' | 'name' | 'partitioned'>): string {
  return `${table.partitioned ? '' : 'ONLY '}${qualified(table)}`;
}

/** For people: `schema.table`, unquoted. */
export function label(table: Pick<Table, 'schema' | 'name'>): string {
  return `${table.schema}.${table.name}`;
}

/**
 * Every ordinary and partitioned table of the database that holds data of its own, in name order; temporary tables
 * excepted, and the histories of migration tools: they belong to the colour as its schema does, and replicated each
 * would tell the other colour's tool of migrations that did not run there. Of partitions only those of `leaves`, quoted
 * with their schemas: roots stand for all others.
 */
export function readTables(client: Client, leaves: readonly string[] = []): Promise<Table[]> {
  return remembered(client, `tables ${leaves.join()}`, ofReplication, () =>
    withFixedPath(client, () => rows<Table>(client, everyTable, [leaves])),
  );
}

/** What is published and followed changes with each step of a release, and no table with it. */
const ofReplication = ['pg_publication', 'pg_publication_rel', 'pg_subscription', 'pg_subscription_rel'];

/** What each domain is over, however deep: with the modifier that it brings, and whether anything on the way refuses values. */
export const domains = `
    WITH RECURSIVE over AS (
      SELECT d.oid AS domain, d.typbasetype AS base, d.typtypmod AS modifier, 1 AS depth,
        d.typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = d.oid) AS constrained
      FROM pg_type d WHERE d.typtype = 'd'
      UNION ALL
      SELECT over.domain, d.typbasetype, d.typtypmod, over.depth + 1,
        over.constrained OR d.typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = d.oid)
      FROM over JOIN pg_type d ON d.oid = over.base AND d.typtype = 'd'),
    domains AS MATERIALIZED (SELECT DISTINCT ON (domain) * FROM over ORDER BY domain, depth DESC)`;

/** Those of migration tools that `readTables` leaves out, as tables. */
export function readHistoryTables(client: Client): Promise<Table[]> {
  return withFixedPath(client, () => rows<Table>(client, tablesWhere(`coalesce(${isHistory}, false)`), [[]]));
}

const tablesWhere = (condition: string): string => `${domains}
    SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
      CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END AS persistence,
      coalesce((SELECT json_agg(json_build_object(
          'number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'baseType', tn.nspname || '.' || t.typname, 'stored', format_type(t.oid, coalesce(d.modifier, a.atttypmod)),
          'constrained', coalesce(d.constrained, false),
          'notNull', a.attnotnull, 'hasDefault', (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '', 'generated', a.attgenerated <> '')
          ORDER BY a.attnum)
        FROM pg_attribute a LEFT JOIN domains d ON d.domain = a.atttypid
        JOIN pg_type t ON t.oid = coalesce(d.base, a.atttypid) JOIN pg_namespace tn ON tn.oid = t.typnamespace
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
      coalesce((SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts), '[]') AS "primaryKey",
      coalesce((SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND k.place <= i.indnkeyatts
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END), '[]') AS identity,
      CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'i' THEN 'index' WHEN 'f' THEN 'full' ELSE 'nothing' END AS "replicaIdentity",
      CASE WHEN c.relkind = 'p'
        THEN (SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
        ELSE pg_total_relation_size(c.oid) END::float8 AS bytes,
      CASE WHEN c.relkind = 'p'
        THEN (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0) FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf)
        ELSE c.reltuples END::float8 AS "estimatedRows"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND (NOT c.relispartition OR c.oid IN (SELECT to_regclass(leaf) FROM unnest($1::text[]) AS leaf)) AND c.relpersistence <> 't'
      AND n.nspname NOT IN (${ignoredSchemas}) AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND ${condition}
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

const everyTable = tablesWhere(`NOT coalesce(${isHistory}, false)`);
