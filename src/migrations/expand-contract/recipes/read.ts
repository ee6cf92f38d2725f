import { parse } from 'libpg-query';
import { describe } from '../../../model/errors.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import { parseAssignments, type Assignment } from '../../backfill/assignments.ts';
import { walk } from '../../lint/ast.ts';
import { unfitForRecipe } from './column.ts';
import type { FreshColumn } from './reshape.ts';
import type { EnumUse } from './remove-value.ts';

/** `first text = split_part(name, ' ', 1)`. */
export function freshColumn(text: string): FreshColumn {
  const [, column, type, using] = /^\s*"?([^\s"]+)"?\s+([^=]+?)\s*=\s*([^]+)$/.exec(text) ?? [];
  if (column === undefined || type === undefined || using === undefined)
    throw unfitForRecipe(
      `${text} is no new column.`,
      'its name, its type, and what it is made of.',
      "write it as in: 'first text = split_part(name, '' '', 1)'",
    );
  return { column, type, using };
}

export async function assignmentsOf(set: string): Promise<Assignment[]> {
  return parseAssignments(set, 'true').catch((error: unknown) => {
    throw unfitForRecipe(`${set}: ${describe(error)}.`, 'assignments, as after SET.', 'fix it; nothing was written.');
  });
}

/** Names of columns that a condition speaks of. */
export async function columnsIn(condition: string): Promise<string[]> {
  const { stmts } = await parse(`SELECT (${condition}\n)`).catch((error: unknown) => {
    throw unfitForRecipe(`${condition}: ${describe(error)}.`, 'a condition.', 'fix it; nothing was written.');
  });
  const names = [...walk([stmts])].flatMap(([tag, fields]) => {
    if (tag !== 'ColumnRef') return [];
    const last = (fields as { fields?: { String?: { sval?: string } }[] }).fields?.at(-1);
    return last?.String?.sval === undefined ? [] : [last.String.sval];
  });
  const nested = [...walk([stmts])].some(([tag]) => tag === 'SubLink');
  if (names.length === 0 || nested)
    throw unfitForRecipe(
      `${condition} ${nested ? 'asks other rows' : 'speaks of no column'}.`,
      'a condition over the row alone, as a CHECK takes it.',
      'fix it; nothing was written.',
    );
  return [...new Set(names)];
}

/** @throws VerdigrisError `recipe-column` where nothing makes it unique, so that no foreign key can refer to it. */
export async function readUnique(
  client: Client,
  { schema, table, key }: { readonly schema: string; readonly table: string; readonly key: string },
): Promise<void> {
  const found = await rows(
    client,
    `SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indnkeyatts = 1 AND i.indpred IS NULL`,
    [schema, table, key],
  );
  if (found.length === 0)
    throw unfitForRecipe(
      `Nothing makes ${schema}.${table}.${key} unique.`,
      'a column with a primary key or a UNIQUE constraint of its own.',
      'fix the name, or make it unique first: verdigris expand-contract unique.',
    );
}

/** The columns of the primary key. */
export async function readKey(
  client: Client,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<{ readonly column: string; readonly type: string }[]> {
  const key = await rows<{ column: string; type: string }>(
    client,
    `SELECT a.attname AS column, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) ON true
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE i.indisprimary AND n.nspname = $1 AND c.relname = $2 ORDER BY k.place`,
    [schema, table],
  );
  if (key.length === 0)
    throw unfitForRecipe(
      `There is no table ${schema}.${table} with a primary key.`,
      'a table of the live database whose rows a key tells apart.',
      'fix the name, or give it a key.',
    );
  return key;
}

/** An enum and the columns that are of it. */
export async function readEnum(
  client: Client,
  schema: string,
  name: string,
): Promise<{ readonly values: readonly string[]; readonly uses: readonly EnumUse[] }> {
  const values = await rows<{ value: string }>(
    client,
    `SELECT e.enumlabel AS value FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2 ORDER BY e.enumsortorder`,
    [schema, name],
  );
  if (values.length === 0)
    throw unfitForRecipe(`There is no enum ${schema}.${name}.`, 'an enum of the live database.', 'fix the name.');
  const uses = await rows<EnumUse & { kind: string; plain: boolean }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, c.relkind::text AS kind, a.atttypid = t.oid AS plain,
      pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS "defaultValue"
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    JOIN pg_catalog.pg_type u ON u.oid = t.oid OR u.typelem = t.oid OR u.typbasetype = t.oid
    JOIN pg_catalog.pg_attribute a ON a.atttypid = u.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE tn.nspname = $1 AND t.typname = $2 AND c.relkind <> 'i' AND NOT c.relispartition ORDER BY 1, 2, 3`,
    [schema, name],
  );
  const odd = uses.find(({ kind, plain }) => !plain || !['r', 'p'].includes(kind));
  if (odd)
    throw unfitForRecipe(
      `${odd.schema}.${odd.table}.${odd.column} is no plain column of a table with this type.`,
      'that all that is of the type are columns of tables.',
      'write the migration by hand: docs/expand-contract.md shows its two halves.',
    );
  if (uses.length === 0)
    throw unfitForRecipe(`No column is of ${schema}.${name}.`, 'one that is.', 'make the type again in one release.');
  return { values: values.map(({ value }) => value), uses };
}
