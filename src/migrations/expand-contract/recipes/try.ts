import { parse } from 'libpg-query';
import { describe } from '../../../model/errors.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import { ident } from '../../../postgres/quote.ts';
import { unfitForRecipe } from './column.ts';
import { stepPath } from './kept.ts';

/**
 * It is put into the text of a function: it must be what it says it is, and no more.
 *
 * @throws VerdigrisError `recipe-column`
 */
export async function onlyOne(what: string, text: string, required = 'an expression'): Promise<void> {
  const { stmts = [] } = await parse(text).catch((error: unknown) => {
    throw unfitForRecipe(
      `${what} is not read as SQL: ${describe(error)}.`,
      `${required}.`,
      'fix it; nothing was written.',
    );
  });
  const select = (stmts[0] as { stmt?: { SelectStmt?: { targetList?: unknown[]; fromClause?: unknown } } } | undefined)
    ?.stmt?.SelectStmt;
  if (stmts.length !== 1 || select?.targetList?.length !== 1 || select.fromClause !== undefined)
    throw unfitForRecipe(
      `${what} is more than ${required}.`,
      'one, over the columns alone.',
      'fix it; nothing was written.',
    );
}

/** As a client's session has it, for the user's own names. */
export async function readOnly<T>(client: Client, use: () => Promise<T>): Promise<T> {
  await client.query('BEGIN READ ONLY');
  try {
    return await use();
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * PostgreSQL reads the query and does not compute it: functions of the user's are not run by an operator's login.
 *
 * @throws VerdigrisError `recipe-column` where the query is refused; changes nothing.
 */
export async function tryQuery(client: Client, sql: string, option: string, searchPath?: string): Promise<void> {
  await readOnly(client, async () => {
    if (searchPath !== undefined) await client.query(`SET LOCAL search_path = ${searchPath}`);
    await client.query(`PREPARE verdigris_try AS ${sql}`);
    await client.query('DEALLOCATE verdigris_try');
  }).catch((error: unknown) => {
    throw unfitForRecipe(
      `The expression fails: ${describe(error)}.`,
      'an expression over the columns, of the type that is wanted.',
      `give ${option}: columns are named in it as in a statement.`,
    );
  });
}

/** Has the expressions read over the table, with the names that the trigger will find. */
export async function tryOver(
  client: Client,
  { schema, table }: { readonly schema: string; readonly table: string },
  expressions: readonly string[],
): Promise<void> {
  for (const expression of expressions) {
    await onlyOne(expression, `SELECT (${expression}\n)`);
    await tryQuery(
      client,
      `SELECT (${expression}\n) FROM ${ident(schema, table)} AS given`,
      `another expression; names beyond ${stepPath(schema)} need their schema`,
      stepPath(schema),
    );
  }
}

/** Rows are distinguished by these columns: their types need an equality that the trigger finds. */
export async function tryCompare(
  client: Client,
  { schema, table }: { readonly schema: string; readonly table: string },
  columns: readonly string[],
): Promise<void> {
  const far = await rows<{ column: string; type: string }>(
    client,
    `SELECT a.attname AS column, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3) AND tn.nspname <> ALL ($4)`,
    [schema, table, columns, ['pg_catalog', schema, 'public']],
  );
  if (far[0])
    throw unfitForRecipe(
      `${schema}.${table}.${far[0].column} is of the type ${far[0].type}, whose operators a trigger of ${schema} does not find.`,
      `types of PostgreSQL itself, of ${schema} or of public.`,
      'write the migration by hand: docs/expand-contract.md shows its two halves.',
    );
  const row = `ROW(${columns.map((column) => ident(column)).join(', ')})`;
  await tryOver(client, { schema, table }, [`${row} IS DISTINCT FROM ${row}`]);
}
