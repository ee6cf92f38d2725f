import { VerdigrisError } from '../../../model/errors.ts';
import { rows, type Client } from '../../../postgres/client.ts';

/** A column as a recipe must know it. */
export interface RecipeColumn {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** As format_type() prints it with a bare search path, so with its schema where it is not PostgreSQL's own. */
  readonly type: string;
  readonly notNull: boolean;
  readonly defaultValue: string | null;
  /** Indexes of plain columns, which a new column can have alike. */
  readonly indexes: readonly {
    readonly unique: boolean;
    readonly method: string;
    readonly columns: readonly string[];
  }[];
  /** What else hangs on the column, in words: constraints, other indexes, views, statistics, policies. */
  readonly rest: readonly string[];
  /** Names of the table's columns. */
  readonly siblings: readonly string[];
}

interface Found extends RecipeColumn {
  readonly special: string | null;
}

/** @throws VerdigrisError `recipe-column` where it is not there, or is none that a second column can stand in for. */
export async function readColumn(client: Client, schema: string, table: string, column: string): Promise<RecipeColumn> {
  await client.query('BEGIN READ ONLY; SET LOCAL search_path = pg_catalog');
  try {
    const [found] = await rows<Found>(client, query, [schema, table, column]);
    if (!found)
      throw unfitForRecipe(
        `There is no column ${column} in a table ${schema}.${table}.`,
        'a column of a table of the live database.',
        'fix the name: verdigris expand-contract rename-column TABLE OLD NEW.',
      );
    if (found.special !== null)
      throw unfitForRecipe(
        `${schema}.${table}.${column} ${found.special}.`,
        'a column that another one can stand in for.',
        'docs/expand-contract.md says what to do with such a column.',
      );
    return found;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Of an index i: plain columns in their default order and no condition. */
const plain = `i.indexprs IS NULL AND i.indpred IS NULL AND i.indnatts = i.indnkeyatts
    AND NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) o WHERE o <> 0)
    AND NOT EXISTS (SELECT FROM unnest(i.indclass::oid[]) q JOIN pg_opclass k ON k.oid = q WHERE NOT k.opcdefault)`;

const query = `
  SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
    pg_get_expr(d.adbin, d.adrelid) AS "defaultValue",
    CASE
      WHEN c.relkind NOT IN ('r', 'p') THEN 'is no column of a table'
      WHEN a.attgenerated <> '' THEN 'is computed: add a second generated column beside it, there is nothing to keep in step'
      WHEN a.attidentity <> '' THEN 'is an identity'
      WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND (i.indisprimary
      OR i.indisreplident)) THEN 'is part of the key by which replication finds rows'
      WHEN EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = c.oid AND a.attnum = ANY (p.partattrs)) THEN 'is part of the partition key'
      WHEN EXISTS (SELECT FROM pg_depend s WHERE s.refclassid = 'pg_class'::regclass AND s.refobjid = c.oid
      AND s.refobjsubid = a.attnum AND s.deptype = 'a' AND s.classid = 'pg_class'::regclass
        AND EXISTS (SELECT FROM pg_class q WHERE q.oid = s.objid AND q.relkind = 'S')) THEN 'owns a sequence'
    END AS special,
    coalesce((SELECT json_agg(json_build_object('unique', i.indisunique, 'method', am.amname, 'columns',
          (SELECT json_agg(ia.attname ORDER BY k.place)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_attribute ia ON ia.attrelid = c.oid AND ia.attnum = k.attnum)) ORDER BY x.relname)
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
        WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND ${plain}
        AND NOT EXISTS (SELECT FROM pg_constraint u WHERE u.conindid = i.indexrelid AND u.conrelid = c.oid AND u.contype <> 'u')), '[]') AS indexes,
    coalesce((SELECT json_agg(what ORDER BY what) FROM (
        SELECT 'index ' || x.relname AS what FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
          JOIN pg_depend y ON y.classid = 'pg_class'::regclass AND y.objid = x.oid AND y.refobjid = c.oid
          AND y.refobjsubid = a.attnum WHERE i.indrelid = c.oid AND NOT (${plain})
        UNION SELECT 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
          WHERE k.conrelid = c.oid AND a.attnum = ANY (k.conkey) AND k.contype NOT IN ('u', 'p', 'n', 't')
        UNION SELECT 'foreign key ' || k.conname || ' of ' || k.conrelid::regclass FROM pg_constraint k
          WHERE k.confrelid = c.oid AND a.attnum = ANY (k.confkey) AND k.contype = 'f'
        UNION SELECT 'view ' || r.ev_class::regclass FROM pg_depend y
          JOIN pg_rewrite r ON y.classid = 'pg_rewrite'::regclass AND r.oid = y.objid WHERE y.refobjid = c.oid
          AND y.refobjsubid = a.attnum AND r.ev_class <> c.oid
        UNION SELECT 'policy ' || p.polname FROM pg_depend y JOIN pg_policy p ON y.classid = 'pg_policy'::regclass
          AND p.oid = y.objid WHERE y.refobjid = c.oid AND y.refobjsubid = a.attnum
        UNION SELECT 'statistics ' || s.stxname FROM pg_statistic_ext s WHERE s.stxrelid = c.oid AND a.attnum = ANY (s.stxkeys)
        UNION SELECT 'trigger ' || g.tgname FROM pg_trigger g WHERE g.tgrelid = c.oid AND a.attnum = ANY (g.tgattr) AND NOT g.tgisinternal
        UNION SELECT 'privileges ' || a.attacl::text WHERE a.attacl IS NOT NULL) AS others), '[]') AS rest,
    (SELECT json_agg(s.attname) FROM pg_attribute s WHERE s.attrelid = c.oid AND s.attnum > 0 AND NOT s.attisdropped) AS siblings
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped`;

export function unfitForRecipe(seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError('recipe-column', { seen, required, next });
}
