import { count } from '../../model/count.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { ignoredSchemas } from '../catalogue.ts';
import { one, rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';

export interface ForeignKeyOptions {
  /** Milliseconds for all foreign keys together; what was not reached is said. Ten minutes unless given. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

export interface ForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly parentSchema: string;
  readonly parent: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** Equality of each pair of columns, parent's type on the left, as OPERATOR() takes it. */
  readonly operators: readonly string[];
  readonly full: boolean;
  readonly validated: boolean;
}

/** Foreign keys of the database, those of partitions left to their root. */
export async function readForeignKeys(client: Client): Promise<ForeignKey[]> {
  return rows<ForeignKey>(
    client,
    `
    SELECT c.conname AS name, n.nspname AS schema, t.relname AS "table", pn.nspname AS "parentSchema", p.relname AS parent,
      (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns,
      (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number) AS "parentColumns",
      (SELECT json_agg(format('%I.%s', sn.nspname, o.oprname) ORDER BY k.place)
        FROM unnest(c.conpfeqop) WITH ORDINALITY k(number, place) JOIN pg_operator o ON o.oid = k.number
        JOIN pg_namespace sn ON sn.oid = o.oprnamespace) AS operators,
      c.confmatchtype = 'f' AS full, c.convalidated AS validated
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_class p ON p.oid = c.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE c.contype = 'f' AND c.conparentid = 0 AND n.nspname NOT IN (${ignoredSchemas})
    ORDER BY n.nspname COLLATE "C", t.relname COLLATE "C", c.conname COLLATE "C"`,
  );
}

/** Rows that are counted before a foreign key is known broken well enough. */
const countedRows = 1000;

/**
 * Foreign keys that rows break. Apply runs with session_replication_role = replica and checks none, so a row whose
 * parent was lost is there unseen. One statement sees one snapshot, and apply commits whole transactions: what is
 * in flight breaks nothing.
 */
export async function brokenForeignKeys(
  client: Client,
  { budgetMs = 600_000, signal }: ForeignKeyOptions = {},
): Promise<Finding[]> {
  const deadline = performance.now() + budgetMs;
  const violated: { key: ForeignKey; rows: number }[] = [];
  const unchecked: ForeignKey[] = [];
  const { timeout } = await one<{ timeout: string }>(client, "SELECT current_setting('statement_timeout') AS timeout");
  try {
    for (const key of await readForeignKeys(client)) {
      signal?.throwIfAborted();
      const left = deadline - performance.now();
      if (left <= 0) {
        unchecked.push(key);
        continue;
      }
      await client.query(`SET statement_timeout = ${Math.max(1, Math.ceil(left))}`);
      try {
        const { count } = await one<{ count: number }>(client, orphansSql(key));
        if (count > 0) violated.push({ key, rows: count });
      } catch (error) {
        if ((error as { code?: string }).code !== '57014') throw error;
        unchecked.push(key);
      }
    }
  } finally {
    await client.query("SELECT set_config('statement_timeout', $1, false)", [timeout]).catch(() => undefined);
  }
  return [
    ...violated.map(({ key, rows: count }) => broken(key, count)),
    ...(unchecked.length === 0
      ? []
      : [
          finding('foreign-key-unchecked', {
            title: `${count(unchecked.length, 'foreign key was', 'foreign keys were')} not checked within ${budgetMs} ms`,
            objects: unchecked.map(labelOf),
            reason: 'Rows without their parent would go unseen.',
          }),
        ]),
  ];
}

function broken(key: ForeignKey, count: number): Finding {
  const rows = `${count >= countedRows ? 'at least ' : ''}${count} ${count === 1 ? 'row has' : 'rows have'}`;
  return finding('foreign-key-broken', {
    // A constraint that was never validated may have been broken on the live side all along.
    grade: key.validated ? 'refuse' : 'warn',
    title: `${rows} no parent under ${key.name}`,
    objects: [labelOf(key)],
    reason: `A row of ${key.schema}.${key.table} points to a row that ${key.parentSchema}.${key.parent} does not have.`,
  });
}

function labelOf(key: ForeignKey): string {
  return `${key.schema}.${key.table}.${key.name}`;
}

/**
 * MATCH SIMPLE leaves alone a key with any NULL in it; under MATCH FULL a key that is NULL only in part is broken too.
 */
function orphansSql(key: ForeignKey): string {
  const columns = key.columns.map((name) => `c.${ident(name)}`);
  const matches = key.parentColumns
    .map((name, index) => `p.${ident(name)} OPERATOR(${key.operators[index]}) ${columns[index]}`)
    .join(' AND ');
  const orphan =
    `${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')} AND NOT EXISTS (SELECT FROM ` +
    `${ident(key.parentSchema, key.parent)} p WHERE ${matches})`;
  const partly = `num_nulls(${columns.join(', ')}) BETWEEN 1 AND ${columns.length - 1}`;
  return (
    `SELECT count(*)::int AS count FROM (SELECT FROM ${ident(key.schema, key.table)} c WHERE ` +
    `${key.full ? `(${orphan}) OR ${partly}` : orphan} LIMIT ${countedRows}) o`
  );
}
