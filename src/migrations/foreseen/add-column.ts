import type { Node } from 'libpg-query';
import type { Column } from '../../postgres/catalogue.ts';
import { literal } from '../../postgres/quote.ts';
import { all, type Of } from '../lint/ast.ts';
import { columnType, serials, typeText } from '../lint/column-type.ts';
import { isDrawn, isNullConstant, literalOf } from '../shapes/formula.ts';
import { addConstraint, printedName, printedTable } from './constraint.ts';
import type { ForeseenSchema } from './schema.ts';
import type { TypeOf } from './type-of.ts';

/** As the catalogue prints a default: what each row draws, a constant, or something else. */
export function fillOf(expression: Node | undefined): string {
  if (expression === undefined || isNullConstant(expression)) return '';
  const value = literalOf(expression);
  if (value !== undefined) return ` default ${literal(value)}`;
  return ` default ${isDrawn(expression) ? 'gen_random_uuid()' : 'computed()'}`;
}

export async function addColumn(
  schema: ForeseenSchema,
  table: string,
  { definition, words }: { definition: Of<'ColumnDef'>; words: string },
  typeOf: TypeOf,
): Promise<void> {
  const name = definition.colname ?? '';
  const column = columnToCome(schema, definition, await typeOf(definition.typeName));
  const known = schema.table(table);
  // Of a type that the files make: of a column that was there before it would not be known what fits.
  if (column.baseType === '') schema.doubt(`${table}.${name}`);
  if (known) schema.changeTable(table, { columns: [...known.columns, column] });
  schema.put({
    kind: 'column',
    identity: `${printedTable(table)}.${printedName(name)}`,
    definition: textOf(definition, column),
  });
  for (const constraint of all(definition.constraints, 'Constraint'))
    addConstraint(schema, table, constraint, words, name);
}

export function columnToCome(
  schema: ForeseenSchema,
  { colname = '', typeName, constraints }: Of<'ColumnDef'>,
  type: Pick<Column, 'type' | 'baseType' | 'stored' | 'constrained'> | undefined,
): Column {
  const has = (kind: string): boolean => all(constraints, 'Constraint').some(({ contype }) => contype === kind);
  const serial = columnType(typeName).base in serials;
  const given = all(constraints, 'Constraint').find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  const said = typeText(columnType(typeName));
  return {
    number: schema.nextNumber(),
    name: colname,
    ...(type ?? { type: said, baseType: '', stored: said, constrained: false }),
    notNull: serial || has('CONSTR_NOTNULL') || has('CONSTR_PRIMARY') || has('CONSTR_IDENTITY'),
    hasDefault: serial || has('CONSTR_IDENTITY') || fillOf(given) !== '',
    generated: has('CONSTR_GENERATED'),
  };
}

function textOf({ constraints, typeName }: Of<'ColumnDef'>, column: Column): string {
  const one = (kind: string) => all(constraints, 'Constraint').find(({ contype }) => contype === kind);
  const identity = one('CONSTR_IDENTITY');
  const how = identity?.generated_when === 'a' ? 'always' : 'by default';
  const fill =
    columnType(typeName).base in serials ? ' default gen_random_uuid()' : fillOf(one('CONSTR_DEFAULT')?.raw_expr);
  return [
    column.type,
    column.notNull ? ' not null' : '',
    identity ? ` generated ${how} as identity` : '',
    column.generated ? ' stored as computed()' : fill,
  ].join('');
}
