import { readRelations } from './relations-read.ts';

/** What a major has that the ones before it lack, as it would be read there: nothing of it in use. */
interface Since {
  readonly major: number;
  /** Columns of catalogues and views, and whole ones, by their names. */
  readonly columns?: Readonly<Record<string, string>>;
  readonly relations?: Readonly<Record<string, string>>;
  readonly words?: readonly (readonly [RegExp, string])[];
}

const news: readonly Since[] = [
  {
    major: 15,
    columns: {
      pg_database: `'c'::"char" AS datlocprovider, NULL::text AS datcollversion`,
      pg_publication_rel: 'NULL::pg_node_tree AS prqual, NULL::int2vector AS prattrs',
      pg_publication_tables: `(SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = format('%I.%I', schemaname, tablename)::regclass AND a.attnum > 0 AND NOT a.attisdropped) AS attnames`,
    },
    relations: {
      pg_parameter_acl: 'NULL::oid AS oid, NULL::text AS parname, NULL::aclitem[] AS paracl',
      pg_publication_namespace: 'NULL::oid AS pnpubid, NULL::oid AS pnnspid',
      pg_stat_subscription_stats: 'NULL::oid AS subid, 0 AS apply_error_count, 0 AS sync_error_count',
    },
    words: [
      [/'pg_parameter_acl'::regclass/g, '0'],
      // Nothing has one; a type that is not known is an error all the same.
      [/\bacldefault\('p'::"char"/g, `acldefault('r'::"char"`],
      [/\bpg_database_collation_actual_version\([^)]*\)/g, 'NULL::text'],
      [/\bpg_has_role\('pg_checkpoint', 'USAGE'\)/g, 'false'],
    ],
  },
  {
    major: 14,
    columns: {
      pg_attribute: `''::"char" AS attcompression`,
      pg_proc: 'NULL::pg_node_tree AS prosqlbody',
    },
    words: [
      [/'pg_(database_owner|write_all_data)'::regrole/g, 'NULL::oid'],
      [/\bpg_get_function_sqlbody\([^)]*\)/g, 'NULL::text'],
    ],
  },
  {
    major: 13,
    columns: {
      pg_publication: 'false AS pubviaroot',
      pg_replication_slots: "'reserved'::text AS wal_status",
      pg_stat_activity: 'NULL::int AS leader_pid',
      pg_statistic_ext: '-1 AS stxstattarget',
      pg_trigger: '0::oid AS tgparentid',
    },
    words: [
      [/::regcollation\b/g, '::oid'],
      [/\bpg_current_xact_id\(\)/g, 'txid_current()'],
      // Its argument is a column, whose name may hold anything.
      [
        /\btrim_scale\(((?:"(?:[^"]|"")*"|[^"()])+)::numeric\)/g,
        "CASE WHEN strpos($1::numeric::text, '.') > 0 THEN rtrim(rtrim($1::numeric::text, '0'), '.') ELSE $1::numeric::text END",
      ],
      [/\bSET LOCAL log_min_duration_sample = '-1'/g, 'SELECT'],
      [
        /\bpg_snapshot_xmin\(pg_current_snapshot\(\)\)/g,
        '(txid_snapshot_xmin(txid_current_snapshot()) % 4294967296)::text',
      ],
    ],
  },
];

/** The first major that has all that Verdigris's statements name. */
export const complete = 15;

/**
 * A statement of Verdigris's own as a server of an older major takes it: a catalogue that lacks columns is read as one
 * that has them. One that is named with its schema is left as it is, for a subquery has no system columns.
 */
export function forOlder(sql: string, major: number): string {
  return news
    .filter((since) => major < since.major)
    .reduce((text, { columns = {}, relations = {}, words = [] }) => {
      const names = [...Object.keys(columns), ...Object.keys(relations)];
      const read = (name: string): string =>
        name in relations
          ? `(SELECT ${relations[name] ?? ''} WHERE false)`
          : `(SELECT *, ${columns[name] ?? ''} FROM pg_catalog.${name})`;
      const replaced = readRelations(text, names, read);
      return words.reduce((done, [word, instead]) => done.replace(word, instead), replaced);
    }, sql);
}
