import { label, qualified } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { userSchemas, type Relation } from './tables.ts';

interface Identity extends Relation {
  readonly full: boolean;
  /** Columns of the replica identity; empty where it is the whole row, or nothing. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** A partitioned table with its leaves: rows are sent under its name, and found by the leaves' identities. */
interface Root extends Identity {
  readonly leaves: readonly Identity[];
  /** Columns of the partition keys of all its levels. */
  readonly by: readonly string[];
  /** A partition key is computed: no index can hold it. */
  readonly computed: boolean;
}

export interface RootIdentity {
  readonly leaves: readonly string[];
  /** Of them, those of which an UPDATE or DELETE would stop apply. */
  readonly broken: readonly string[];
  /** Statements after which UPDATE and DELETE of every leaf are followed. */
  readonly whole: readonly string[];
  /** The same by a key, for columns that cannot be compared; it rewrites the table. */
  readonly byKey: readonly string[];
}

const identityColumns = (relation: string, which: string) => `
  coalesce((SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = ${relation}.oid AND a.attnum = k.number
    WHERE i.indrelid = ${relation}.oid AND i.indisvalid AND i.indimmediate AND k.place <= i.indnkeyatts AND ${which}), '[]')`;
const ofIdentity = (relation: string) =>
  identityColumns(
    relation,
    `CASE ${relation}.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END`,
  );

const everyRoot = `
  SELECT n.nspname AS schema, c.relname AS name, c.relreplident = 'f' AS full, ${ofIdentity('c')} AS columns, '[]'::json AS key,
    (SELECT coalesce(json_agg(DISTINCT a.attname), '[]') FROM pg_partition_tree(c.oid) t JOIN pg_partitioned_table p ON p.partrelid = t.relid
      CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k(number) JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = k.number) AS by,
    EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_partitioned_table p ON p.partrelid = t.relid WHERE p.partexprs IS NOT NULL) AS computed,
    (SELECT coalesce(json_agg(json_build_object('schema', ln.nspname, 'name', l.relname, 'full', l.relreplident = 'f',
          'columns', ${ofIdentity('l')}, 'key', ${identityColumns('l', 'i.indisprimary')})
        ORDER BY ln.nspname COLLATE "C", l.relname COLLATE "C"), '[]')
      FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid
      JOIN pg_namespace ln ON ln.oid = l.relnamespace WHERE t.isleaf AND l.relkind = 'r') AS leaves
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND NOT c.relispartition AND ${userSchemas}
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/** Every partitioned table, with the statements that let its rows be identified. */
export async function rootIdentities(client: Client): Promise<RootIdentity[]> {
  return (await rows<Root>(client, everyRoot)).map(describe);
}

/**
 * What is sent must hold the partition key, or the row's partition is not found; and what the subscriber's leaf looks
 * by must be part of what its root says identifies a row.
 */
function isFollowed(root: Root, leaf: Identity): boolean {
  const sends = leaf.full || (!root.computed && includes(leaf.columns, root.by));
  if (root.full) return sends;
  const looksBy = leaf.columns.length > 0 ? leaf.columns : leaf.key;
  return sends && looksBy.length > 0 && includes(root.columns, looksBy);
}

function includes(columns: readonly string[], all: readonly string[]): boolean {
  return columns.length > 0 && all.every((column) => columns.includes(column));
}

function describe(root: Root): RootIdentity {
  const every = [root, ...root.leaves];
  const name = qualified(root);
  const key = ident('verdigris_key');
  const columns = [...root.by.map((column) => ident(column)), key].join(', ');
  const keyed = root.computed || root.leaves.some((leaf) => leaf.key.length > 0);
  return {
    leaves: root.leaves.map(label),
    broken: root.leaves.filter((leaf) => !isFollowed(root, leaf)).map(label),
    whole: every.map((table) => `ALTER TABLE ${qualified(table)} REPLICA IDENTITY FULL;`),
    byKey: keyed
      ? [
          `-- ${label(root)} needs a primary key that holds its partition key; and REPLICA IDENTITY DEFAULT, as do its partitions`,
        ]
      : [
          `-- rewrites the table under an exclusive lock:\nALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${key} uuid NOT NULL DEFAULT gen_random_uuid();`,
          `ALTER TABLE ${name} ADD PRIMARY KEY (${columns});`,
          ...every.map((table) => `ALTER TABLE ${qualified(table)} REPLICA IDENTITY DEFAULT;`),
        ],
  };
}
