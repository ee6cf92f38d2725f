import type { Node } from 'libpg-query';
import type { SchemaObject } from '../../postgres/fingerprint/index.ts';
import { all, as, strings } from '../lint/ast.ts';
import { tryParse } from '../lint/parse.ts';
import { columnsOf, formulaOf, isDrawn, isNullConstant, literalOf, type Formula } from './formula.ts';
import { tableOfIndex } from './of-table.ts';
import { elementText, indexKey, nullIn, type Element, type UniqueKey } from './unique-key.ts';

export interface UniqueRule extends UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns that are elements by themselves, compared by `=`. */
  readonly plain: readonly string[];
}

export interface CheckRule {
  readonly name: string;
  readonly formula: Formula;
  readonly columns: readonly string[];
}

export interface AddedForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The table and columns that it refers to, as text. */
  readonly to: string;
}

export interface ColumnShape {
  readonly notNull: boolean;
  /**
   * What fills it where an INSERT leaves it out: a constant's text, nothing (null), what each row has for itself alone,
   * or something else.
   */
  readonly filled:
    { readonly by: 'constant'; readonly value: string } | { readonly by: 'null' | 'drawn' | 'expression' };
}

/** What a table, or a partition by itself, takes. */
export interface TableShape {
  readonly columns: ReadonlyMap<string, ColumnShape>;
  readonly checks: readonly CheckRule[];
  readonly uniques: readonly UniqueRule[];
  readonly foreignKeys: readonly AddedForeignKey[];
}

export type TableShapes = ReadonlyMap<string, TableShape>;

/**
 * The rules of each table by its name, those that come from a parent excepted. `loadModule` of the parser must have
 * been awaited.
 */
export function tableShapes(schema: readonly SchemaObject[]): TableShapes {
  const shapes = new Map<string, Writable>();
  for (const { kind, identity } of schema)
    if (kind === 'table') shapes.set(identity, { columns: new Map(), checks: [], uniques: [], foreignKeys: [] });
  for (const { kind, identity, definition } of schema) {
    if (kind === 'column') {
      const [, table = '', column = ''] = /^(.*)\.("(?:[^"]|"")+"|[^."]+)$/s.exec(identity) ?? [];
      shapes.get(table)?.columns.set(unquoted(column), columnShape(definition));
    } else if (kind === 'constraint' && !definition.endsWith(' inherited')) {
      const at = identity.lastIndexOf(' on ');
      const shape = shapes.get(identity.slice(at + 4));
      if (shape) addConstraint(shape, identity.slice(0, at), definition.replace(/ not validated$/, ''));
    } else if (kind === 'index' && definition.startsWith('CREATE UNIQUE INDEX') && !/^of /m.test(definition)) {
      const shape = shapes.get(tableOfIndex(definition) ?? '');
      if (shape) addIndex(shape, identity.split('.').at(-1) ?? identity, definition);
    }
  }
  return shapes;
}

type Writable = {
  columns: Map<string, ColumnShape>;
  checks: CheckRule[];
  uniques: UniqueRule[];
  foreignKeys: AddedForeignKey[];
};

export function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function columnShape(definition: string): ColumnShape {
  const notNull = / not null( |$)/m.test(definition);
  if (/ generated (always|by default) as identity/.test(definition)) return { notNull, filled: { by: 'drawn' } };
  if (/ (stored|virtual) as /.test(definition)) return { notNull, filled: { by: 'expression' } };
  const text = / default (.+)$/m.exec(definition)?.[1];
  if (text === undefined) return { notNull, filled: { by: 'null' } };
  const said = expression(text.replace(/ (storage|compression|statistics) \w+$/, ''));
  if (isNullConstant(said)) return { notNull, filled: { by: 'null' } };
  const value = literalOf(said);
  if (value !== undefined) return { notNull, filled: { by: 'constant', value } };
  return { notNull, filled: { by: isDrawn(said) ? 'drawn' : 'expression' } };
}

function first(text: string): Node | undefined {
  const parsed = tryParse(text);
  return 'statements' in parsed ? parsed.statements[0]?.stmt : undefined;
}

export function expression(text: string): Node | undefined {
  const target = as(first(`SELECT ${text}`), 'SelectStmt')?.targetList?.[0];
  return as(target, 'ResTarget')?.val;
}

/** A constraint as pg_get_constraintdef() prints it. */
export function constraintOf(definition: string) {
  const statement = as(first(`ALTER TABLE t ADD CONSTRAINT c ${definition}`), 'AlterTableStmt');
  return as(as(statement?.cmds?.[0], 'AlterTableCmd')?.def, 'Constraint');
}

/** What the parser does not take apart is a rule that follows from none but itself. */
function asWritten(text: string): Formula {
  return { of: text, test: { is: 'as written' }, strictIn: [] };
}

function addConstraint(shape: Writable, name: string, definition: string): void {
  const found = constraintOf(definition);
  if (found?.contype === 'CONSTR_CHECK' && found.raw_expr)
    shape.checks.push({ name, formula: formulaOf(found.raw_expr), columns: columnsOf([found.raw_expr]) });
  else if (found?.contype === 'CONSTR_EXCLUSION') {
    const parts = all(found.exclusions, 'List').map(({ items = [] }) => items);
    const elements = parts.map(([element, operator]) => ({
      element: as(element, 'IndexElem'),
      by: operator === undefined ? '' : strings(operator).at(-1),
    }));
    shape.uniques.push({
      name,
      elements: elements.map(({ element, by }) => `${element ? elementText(element) : ''} ${by ?? ''}`),
      columns: columnsIn(elements.flatMap(({ element }) => element ?? [])),
      nullIn: nullIn(elements.flatMap(({ element }) => element ?? [])),
      plain: plainColumns(elements.flatMap(({ element, by }) => (element && by === '=' ? element : []))),
      when: found.where_clause && formulaOf(found.where_clause),
      nullsEqual: false,
    });
  } else if (found?.contype === 'CONSTR_FOREIGN') {
    const to = `${found.pktable?.schemaname ?? ''}.${found.pktable?.relname ?? ''} (${strings(found.pk_attrs).join(', ')})`;
    shape.foreignKeys.push({ name, columns: strings(found.fk_attrs), to });
  } else if (definition.startsWith('CHECK'))
    shape.checks.push({ name, formula: asWritten(definition), columns: [...shape.columns.keys()] });
}

function columnsIn(elements: readonly Element[]): string[] {
  return elements.flatMap(({ name, expr }) => (expr ? columnsOf([expr]) : [name ?? '']));
}

function plainColumns(elements: readonly Element[]): string[] {
  return elements.flatMap(({ name }) => name ?? []);
}

/** What is said of an index behind its statement. */
const behind = /( invalid)?( clustered)?( tablespace ("(?:[^"]|"")+"|\S+))?$/;

function addIndex(shape: Writable, name: string, definition: string): void {
  const text = definition.split('\n')[0]?.replace(behind, '') ?? '';
  const node = as(first(text), 'IndexStmt');
  if (!node) return;
  const elements = all(node.indexParams, 'IndexElem');
  shape.uniques.push({
    name: unquoted(name),
    ...indexKey(node),
    columns: columnsIn(elements),
    plain: plainColumns(elements),
  });
}
