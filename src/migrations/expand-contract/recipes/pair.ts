import { describe } from '../../../model/errors.ts';
import { readTables, type Column } from '../../../postgres/catalogue.ts';
import { one, type Client } from '../../../postgres/client.ts';
import { mapTables } from '../../../postgres/mapping.ts';
import { ident } from '../../../postgres/quote.ts';
import { readColumn, unfitForRecipe, type RecipeColumn } from './column.ts';
import type { ColumnPair } from './sync.ts';
import { onlyOne, readOnly, tryQuery } from './try.ts';

export interface Wanted {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** Name of the column that stands in. */
  readonly fresh: string;
  /** Undefined where the type stays. */
  readonly type?: string | undefined;
  /** SQL over the old column; its cast to the new type where left out. */
  readonly using?: string | undefined;
  /** SQL over the new column; its cast to the old type where left out. */
  readonly back?: string | undefined;
}

/** Reads what the pair needs from a live database, changing nothing, and has it read both expressions. */
export async function readPair(client: Client, wanted: Wanted): Promise<ColumnPair> {
  const old = await readColumn(client, wanted.schema, wanted.table, wanted.column);
  const [a, b] = [ident(old.column), ident(wanted.fresh)];
  if (wanted.type === undefined) {
    const { schemas, comparable } = await probe(client, old, old.type);
    return {
      old,
      column: wanted.fresh,
      type: old.type,
      forth: a,
      back: b,
      comparable,
      schemas,
      forthMayFail: false,
      backMayFail: false,
    };
  }
  await onlyOne('TYPE', `SELECT NULL::${wanted.type}`, 'a type, such as bigint or numeric(12,2)');
  for (const [option, text] of [
    ['--using', wanted.using],
    ['--back', wanted.back],
  ] as const)
    if (text !== undefined) await onlyOne(option, `SELECT (${text}\n)`);
  const { type, baseType, constrained, schemas, comparable } = await probe(client, old, wanted.type);
  const target = { type, baseType, stored: type, constrained };
  const forth = wanted.using ?? `${a}::${type}`;
  const back = wanted.back ?? `${b}::${old.type}`;
  await tryQuery(client, `SELECT (${forth})::${type} FROM (SELECT NULL::${old.type} AS ${a}) AS given`, '--using');
  await tryQuery(client, `SELECT (${back})::${old.type} FROM (SELECT NULL::${type} AS ${b}) AS given`, '--back');
  const [to, from] = [await fails(client, old, target, 'forth'), await fails(client, old, target, 'back')];
  return {
    old,
    column: wanted.fresh,
    type,
    forth: bracketed(forth, wanted.using),
    back: bracketed(back, wanted.back),
    comparable,
    schemas,
    forthMayFail: wanted.using !== undefined || to,
    backMayFail: wanted.back !== undefined || from,
  };
}

function bracketed(expression: string, given: string | undefined): string {
  return given === undefined ? expression : `(${given})`;
}

/** The new type as the catalogue prints it, with what functions that use it must find. */
async function probe(
  client: Client,
  old: RecipeColumn,
  type: string,
): Promise<{ type: string; baseType: string; constrained: boolean; schemas: string[]; comparable: boolean }> {
  const known = await readOnly(client, () =>
    one<{ base: string; domain: boolean; schemas: string[] }>(
      client,
      `
    SELECT (SELECT typtype = 'd' FROM pg_type WHERE oid = pg_typeof(NULL::${type})) AS domain,
      (SELECT bn.nspname || '.' || b.typname FROM pg_type t
        JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
        JOIN pg_namespace bn ON bn.oid = b.typnamespace WHERE t.oid = pg_typeof(NULL::${type})) AS base,
      (SELECT coalesce(json_agg(DISTINCT n.nspname), '[]') FROM pg_type t
        JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.oid IN (pg_typeof(NULL::${type}), pg_typeof(NULL::${old.type})) AND n.nspname <> 'pg_catalog') AS schemas`,
    ),
  ).catch((error: unknown) => {
    throw unfitForRecipe(
      `${type} is no type there: ${describe(error)}.`,
      'a type of the live database; one that the release makes does not exist yet.',
      'fix it, or write the migration by hand.',
    );
  });
  const comparable = await readOnly(client, () =>
    client.query(
      `SELECT NULL::${type} IS DISTINCT FROM NULL::${type}, NULL::${old.type} IS DISTINCT FROM NULL::${old.type}`,
    ),
  ).then(
    () => true,
    () => false,
  );
  return {
    type,
    baseType: known.base,
    constrained: known.domain,
    schemas: [...new Set([...known.schemas, old.schema, 'public'])],
    comparable,
  };
}

/** What the mapping of replication knows of the conversion: whether some value does not pass. */
async function fails(
  client: Client,
  old: RecipeColumn,
  type: Pick<Column, 'type' | 'baseType' | 'stored' | 'constrained'>,
  way: 'forth' | 'back',
): Promise<boolean> {
  const table = (await readTables(client)).find(({ schema, name }) => schema === old.schema && name === old.table);
  const column = table?.columns.find(({ name }) => name === old.column);
  if (!table || !column) throw new Error('the column was read before');
  const [now, then] = [
    { ...table, columns: [column] },
    { ...table, columns: [{ ...column, ...type }] },
  ];
  const { findings } = way === 'forth' ? mapTables([now], [then], 'forward') : mapTables([then], [now], 'forward');
  return findings.some(({ id }) => id === 'type-narrowed' || id === 'type-changed');
}
