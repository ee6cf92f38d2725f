import type { Constraint, Node } from 'libpg-query';
import {
  all,
  as,
  constant,
  meaning,
  nameLabel,
  nameOfParts,
  relationName,
  strings,
  type Name,
  type Of,
} from './ast.ts';
import { columnType, serials } from './column-type.ts';
import { formulaOf, isDrawn, isNullConstant, literalOf } from '../shapes/formula.ts';
import type { ColumnFact, ConstraintFact, Schema, TableFact } from './facts.ts';

/** CREATE TABLE: its columns and constraints, those inherited or copied by LIKE excepted. */
export function learnTable(node: Of<'CreateStmt'>, schema: Schema): void {
  const name = relationName(node.relation, schema.defaultSchema);
  if (node.if_not_exists === true && schema.table(name)) return;
  const elements = node.tableElts ?? [];
  const fact: TableFact = {
    name,
    kind: node.partspec ? 'partitioned' : 'table',
    batch: schema.batch,
    complete: !node.inhRelations && !node.ofTypename && all(elements, 'TableLikeClause').length === 0,
    temporary: node.relation?.relpersistence === 't',
    columns: new Map(),
    constraints: new Map(),
    constraintsGone: [],
  };
  for (const column of all(elements, 'ColumnDef')) addColumn(fact, column, schema);
  for (const constraint of all(elements, 'Constraint')) addConstraint(fact, constraint, schema.batch);
  schema.tables.set(nameLabel(name), fact);
}

export function learnAlter(node: Of<'AlterTableStmt'>, schema: Schema): void {
  if (node.objtype !== 'OBJECT_TABLE') return;
  const fact = schema.tableOrStub(relationName(node.relation, schema.defaultSchema));
  for (const command of all(node.cmds, 'AlterTableCmd')) learnCommand(fact, command, schema);
}

function learnCommand(fact: TableFact, command: Of<'AlterTableCmd'>, schema: Schema): void {
  const name = command.name ?? '';
  const known = fact.columns.get(name);
  const change = (part: Partial<ColumnFact>) => known && fact.columns.set(name, { ...known, ...part });
  const definition = as(command.def, 'ColumnDef');
  const constraint = as(command.def, 'Constraint');
  if (command.subtype === 'AT_AddColumn' && definition) {
    if (command.missing_ok !== true || !fact.columns.has(definition.colname ?? '')) addColumn(fact, definition, schema);
  } else if (command.subtype === 'AT_DropColumn') fact.columns.delete(name);
  else if (command.subtype === 'AT_AlterColumnType') change({ type: columnType(definition?.typeName) });
  else if (command.subtype === 'AT_SetNotNull') change({ notNull: true });
  else if (command.subtype === 'AT_DropNotNull') change({ notNull: false });
  else if (command.subtype === 'AT_ColumnDefault')
    change({ ...filledBy(command.def), ...saidDefault(command.def), ...sequenceOf(command.def, schema) });
  else if (command.subtype === 'AT_AddIdentity') change({ hasDefault: true, drawn: true });
  else if (command.subtype === 'AT_DropConstraint') {
    const gone = fact.constraints.get(name);
    if (gone) fact.constraintsGone.push({ fact: gone, batch: schema.batch });
    fact.constraints.delete(name);
  } else if (command.subtype === 'AT_AddConstraint' && constraint)
    addConstraint(fact, constraint, schema.batch, schema);
  else if (command.subtype === 'AT_ValidateConstraint') {
    const pending = fact.constraints.get(name);
    if (pending) fact.constraints.set(name, { ...pending, valid: true });
  }
}

function addColumn(fact: TableFact, column: Of<'ColumnDef'>, schema: Schema): void {
  const { batch } = schema;
  const constraints = all(column.constraints, 'Constraint');
  const has = (type: Constraint['contype']) => constraints.find((one) => one.contype === type);
  const type = columnType(column.typeName);
  const generated = has('CONSTR_GENERATED');
  const name = column.colname ?? '';
  fact.columns.set(name, {
    type: { ...type, base: serials[type.base] ?? type.base },
    notNull: Boolean(has('CONSTR_NOTNULL') ?? has('CONSTR_PRIMARY') ?? has('CONSTR_IDENTITY')) || type.base in serials,
    ...fillingOf(column),
    ...saidDefault(has('CONSTR_DEFAULT')?.raw_expr),
    ...(generated ? { generated: generated.generated_kind === 'v' ? 'virtual' : 'stored' } : {}),
    ...(type.base in serials
      ? { sequence: ownSequence(fact.name, name, serials[type.base] ?? '', schema) }
      : sequenceOf(has('CONSTR_DEFAULT')?.raw_expr, schema)),
    batch,
  });
  for (const constraint of constraints) addConstraint(fact, constraint, batch, undefined, name);
}

/** A constraint's meaning as text: without its name, and without the places in the file that the parser notes. */
export function said(constraint: Constraint, kind: ConstraintFact['kind'], columns: readonly string[]): string {
  const target = constraint.pktable;
  const references = [target?.schemaname, target?.relname, ...strings(constraint.pk_attrs)];
  return [
    kind,
    ...columns,
    ...(kind === 'foreign' ? references : []),
    kind === 'check' ? meaning(constraint.raw_expr) : '',
  ].join(' ');
}

export type Filling = Pick<ColumnFact, 'hasDefault' | 'drawn' | 'constant'>;

/** What a column holds where an INSERT leaves it out. */
export function fillingOf(column: Of<'ColumnDef'>): Filling {
  const of = (type: Constraint['contype']) =>
    all(column.constraints, 'Constraint').find(({ contype }) => contype === type);
  if (columnType(column.typeName).base in serials || of('CONSTR_IDENTITY')) return { hasDefault: true, drawn: true };
  return of('CONSTR_GENERATED') ? { hasDefault: true } : filledBy(of('CONSTR_DEFAULT')?.raw_expr);
}

/** `DEFAULT NULL` is none. */
function filledBy(expression: Node | undefined): Filling {
  return {
    hasDefault: expression !== undefined && !isNullConstant(expression),
    drawn: isDrawn(expression),
    constant: literalOf(expression),
  };
}

function saidDefault(expression: Node | undefined): Pick<ColumnFact, 'defaultSays'> {
  return expression === undefined ? {} : { defaultSays: meaning(expression) };
}

/** A serial's sequence is of the column's type, and stays so when the column's type changes. */
function ownSequence(table: Name, column: string, type: string, schema: Schema): Name {
  const name = { schema: table.schema, name: `${table.name}_${column}_seq` };
  schema.sequences.set(nameLabel(name), { type });
  return name;
}

/** The sequence of a default `nextval('name')`. */
function sequenceOf(expression: Node | undefined, schema: Schema): { readonly sequence?: Name } {
  const call = as(expression, 'FuncCall');
  const named = strings(call?.funcname).at(-1) === 'nextval' ? constant(call?.args?.[0]) : undefined;
  if (named === undefined) return {};
  return { sequence: nameOfParts(named.replaceAll('"', '').split('.'), schema.defaultSchema) };
}

const kinds: Partial<Record<NonNullable<Constraint['contype']>, ConstraintFact['kind']>> = {
  CONSTR_CHECK: 'check',
  CONSTR_PRIMARY: 'primary',
  CONSTR_UNIQUE: 'unique',
  CONSTR_FOREIGN: 'foreign',
  CONSTR_EXCLUSION: 'exclusion',
};

const suffixes: Readonly<Record<ConstraintFact['kind'], string>> = {
  check: 'check',
  primary: 'pkey',
  unique: 'key',
  foreign: 'fkey',
  exclusion: 'excl',
  'not-null': 'not_null',
};

function addConstraint(fact: TableFact, constraint: Constraint, batch: number, schema?: Schema, column?: string): void {
  const kind =
    constraint.contype === 'CONSTR_NOTNULL' && column === undefined
      ? 'not-null'
      : kinds[constraint.contype ?? 'CONSTR_NULL'];
  if (!kind) return;
  const index =
    constraint.indexname === undefined
      ? undefined
      : schema?.indexes.get({ schema: fact.name.schema, name: constraint.indexname });
  const listed = strings(constraint.keys ?? constraint.fk_attrs);
  const columns = column !== undefined ? [column] : listed.length > 0 ? listed : [...(index?.columns ?? [])];
  fact.constraints.set(constraint.conname ?? constraint.indexname ?? constraintName(fact.name.name, kind, columns), {
    kind,
    columns,
    valid: constraint.skip_validation !== true,
    deferrable: constraint.deferrable === true,
    provesNotNull: kind === 'check' ? notNullColumns(constraint.raw_expr) : kind === 'not-null' ? columns : [],
    ...(kind === 'check' && constraint.raw_expr ? { formula: formulaOf(constraint.raw_expr) } : {}),
    says: said(constraint, kind, kind === 'check' ? [] : columns),
    batch,
  });
  if (kind !== 'primary') return;
  for (const key of columns) {
    const known = fact.columns.get(key);
    if (known) fact.columns.set(key, { ...known, notNull: true });
  }
}

/** The name that PostgreSQL gives a constraint that has none; a number it may append is not known here. */
export function constraintName(table: string, kind: ConstraintFact['kind'], columns: readonly string[]): string {
  return [table, ...(kind === 'primary' ? [] : columns), suffixes[kind]].join('_');
}

/** Columns that an expression requires to be not null: `a IS NOT NULL`, alone or joined by AND. */
export function notNullColumns(expression: Node | undefined): string[] {
  const test = as(expression, 'NullTest');
  if (test) return test.nulltesttype === 'IS_NOT_NULL' ? strings(as(test.arg, 'ColumnRef')?.fields).slice(-1) : [];
  const both = as(expression, 'BoolExpr');
  return both?.boolop === 'AND_EXPR' ? (both.args ?? []).flatMap(notNullColumns) : [];
}
