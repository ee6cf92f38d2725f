import type { Node } from 'libpg-query';
import { all, as, strings, type Of } from '../lint/ast.ts';
import { printedName, printedTable } from './constraint.ts';
import type { ForeseenSchema } from './schema.ts';
import type { TypeOf } from './type-of.ts';

/** A view under the name of one that was there: software finds its columns, or does not. */
export function viewAgain(schema: ForeseenSchema, { view, replace, aliases, query }: Of<'ViewStmt'>): void {
  if (view?.relpersistence === 't' || view?.schemaname === 'pg_temp') return schema.addTemporary(view.relname ?? '');
  const name = schema.find(view) ?? schema.placeFor(view?.schemaname, view?.relname ?? '');
  if (replace === true && schema.object('view', name)) return viewReplaced(schema, name, query);
  if (!schema.was('view', name) && !schema.was('materialized view', name)) return;
  const columns = query && columnsOf(schema, query);
  // One that is there still would be refused: it is another's name.
  if (!columns || schema.relation(name)) return schema.doubt(name);
  const renamed = columns.map((column, index) => strings(aliases)[index] ?? column);
  schema.put({ kind: 'view', identity: printedTable(name), definition: '' });
  for (const column of renamed)
    schema.put({ kind: 'column', identity: `${printedTable(name)}.${printedName(column)}`, definition: '' });
}

/** It keeps all columns that it has, and may get more: some that a view made again before it had lost. */
function viewReplaced(schema: ForeseenSchema, name: string, query: Node | undefined): void {
  const columns = query && columnsOf(schema, query);
  const known = schema.columnsOf(name);
  if (!columns) return schema.isMadeAgain(name) ? schema.doubt(name) : undefined;
  for (const column of columns)
    if (!known.includes(column))
      schema.put({ kind: 'column', identity: `${printedTable(name)}.${printedName(column)}`, definition: '' });
}

/** Names of a query's columns; undefined where its text does not say them all. */
function columnsOf(schema: ForeseenSchema, query: Node): string[] | undefined {
  const select = as(query, 'SelectStmt');
  if (!select) return undefined;
  if (select.larg) return columnsOf(schema, { SelectStmt: select.larg });
  const named: string[] = [];
  for (const { name, val } of all(select.targetList, 'ResTarget')) {
    const fields = as(val, 'ColumnRef')?.fields;
    const last = fields?.at(-1);
    const found = last && 'A_Star' in last ? starOf(schema, select, fields ?? []) : [name ?? labelOf(val)];
    for (const each of found ?? [undefined]) {
      if (each === undefined) return undefined;
      named.push(each);
    }
  }
  return named.length === 0 ? undefined : named;
}

function labelOf(value: Node | undefined): string | undefined {
  return strings(as(value, 'ColumnRef')?.fields ?? as(value, 'FuncCall')?.funcname).at(-1);
}

/** `*` over one relation whose columns are known. */
function starOf(schema: ForeseenSchema, select: Of<'SelectStmt'>, fields: readonly Node[]): string[] | undefined {
  const [from, other] = select.fromClause ?? [];
  const relation = as(from, 'RangeVar');
  if (!relation || relation.alias?.colnames || other || select.withClause || fields.length > 2) return undefined;
  const name = schema.find(relation);
  const columns = name === undefined || !schema.isSure(name, '') ? [] : schema.columnsOf(name);
  return columns.length === 0 ? undefined : columns;
}

/** False where its arguments or what it returns are not certain by the text. */
export async function functionAgain(
  schema: ForeseenSchema,
  { funcname, parameters, returnType, replace }: Of<'CreateFunctionStmt'>,
  typeOf: TypeOf,
): Promise<boolean> {
  const given = all(parameters, 'FunctionParameter');
  if (given.some(({ mode }) => mode === 'FUNC_PARAM_OUT' || mode === 'FUNC_PARAM_INOUT' || mode === 'FUNC_PARAM_TABLE'))
    return false;
  const named = async (type: Of<'TypeName'> | undefined): Promise<string | undefined> => {
    if (!type || type.pct_type === true) return undefined;
    const { typmods: _, ...bare } = type;
    return (await typeOf(bare).catch(() => undefined))?.type;
  };
  const types: (string | undefined)[] = [];
  for (const { argType } of given) types.push(await named(argType));
  const returns = returnType && (await named(returnType));
  const place = schema.routinePlace(strings(funcname));
  if (types.includes(undefined) || (returnType && returns === undefined) || place === undefined) return false;
  const identity = `${printedTable(place)}(${types.join(',')})`;
  if (schema.object('function', identity)) return replace === true;
  const definition = returns === undefined ? '' : ` RETURNS ${returnType?.setof === true ? 'SETOF ' : ''}${returns}`;
  schema.put({ kind: 'function', identity, definition });
  return true;
}

/** False where it is not certain which type it is. */
export function enumAgain(schema: ForeseenSchema, { typeName, vals }: Of<'CreateEnumStmt'>): boolean {
  const place = schema.typePlace(strings(typeName));
  if (place === undefined || schema.object('type', place)) return false;
  const values = strings(vals).map((value) => `'${value.replaceAll("'", "''")}'`);
  if (values.some((value) => value.includes('\\'))) return false;
  schema.put({ kind: 'type', identity: printedTable(place), definition: ['enum', ...values].join('\n') });
  return true;
}
