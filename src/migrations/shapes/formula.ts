import type { Node } from 'libpg-query';
import { as, fieldsOf, strings, tagOf } from '../lint/ast.ts';

/** What can be said of one expression: that its value is one of these, none of these, below or above one, or null. */
export type Test =
  | { readonly is: 'in' | 'not in'; readonly values: ReadonlySet<string> }
  | { readonly is: Comparison; readonly value: string }
  | { readonly is: 'null' | 'not null' }
  /** Nothing that is understood here: equal to itself alone. */
  | { readonly is: 'as written' };

export type Comparison = '<' | '<=' | '>' | '>=';

export interface Atom {
  /** The expression, as its parse tree prints without places. */
  readonly of: string;
  readonly test: Test;
  /** Columns in which it is strict: null where one of them is. */
  readonly strictIn: readonly string[];
}

export type Formula = Atom | { readonly all: readonly Formula[] } | { readonly any: readonly Formula[] };

const comparisons: Readonly<Record<string, Comparison>> = { '<': '<', '<=': '<=', '>': '>', '>=': '>=' };
const flipped: Readonly<Record<Comparison, Comparison>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const negated: Readonly<Record<Comparison, Comparison>> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' };

/**
 * An expression of the parser as a formula; `truth` false gives its negation, which is null where the expression is.
 */
export function formulaOf(node: Node, truth = true): Formula {
  const bool = as(node, 'BoolExpr');
  if (bool?.boolop === 'NOT_EXPR' && bool.args?.[0]) return formulaOf(bool.args[0], !truth);
  if (bool) {
    const all = (bool.boolop === 'AND_EXPR') === truth;
    const given = (bool.args ?? []).map((part) => formulaOf(part, truth));
    const parts = merged(given, all ? 'not in' : 'in');
    const [only] = parts;
    if (only && parts.length === 1) return only;
    return all ? { all: parts } : { any: parts };
  }
  const nulls = as(node, 'NullTest');
  if (nulls?.arg) {
    const isNull = (nulls.nulltesttype === 'IS_NULL') === truth;
    return { of: printed(nulls.arg), test: { is: isNull ? 'null' : 'not null' }, strictIn: [] };
  }
  const atom = comparison(node, truth);
  if (atom) return atom;
  const values = new Set([String(truth)]);
  if (as(node, 'ColumnRef')) return { of: printed(node), test: { is: 'in', values }, strictIn: columnsStrict(node) };
  return { of: `${truth ? '' : 'NOT '}${printed(node)}`, test: { is: 'as written' }, strictIn: columnsStrict(node) };
}

/** `x = 1 OR x = 2` is `x IN (1, 2)`, and `x <> 1 AND x <> 2` is `x NOT IN (1, 2)`. */
function merged(parts: readonly Formula[], is: 'in' | 'not in'): Formula[] {
  const lists = new Map<string, Set<string>>();
  return parts.flatMap((part) => {
    if (!('test' in part) || part.test.is !== is) return [part];
    const known = lists.get(part.of);
    const values = known ?? new Set<string>();
    for (const value of part.test.values) values.add(value);
    lists.set(part.of, values);
    return known ? [] : [{ ...part, test: { is, values } }];
  });
}

function comparison(node: Node, truth: boolean): Formula | undefined {
  const found = as(node, 'A_Expr');
  if (!found?.lexpr || !found.rexpr) return undefined;
  const [operator = ''] = strings(found.name).slice(-1);
  const strictIn = columnsStrict(node);
  const say = (of: Node, test: Test): Formula => ({ of: printed(of), test, strictIn });
  if (found.kind === 'AEXPR_BETWEEN') {
    const [from, to] = (as(found.rexpr, 'List')?.items ?? []).map(literalOf);
    if (from === undefined || to === undefined) return undefined;
    const [low, high] = truth ? (['>=', '<='] as const) : (['<', '>'] as const);
    const ends = [say(found.lexpr, { is: low, value: from }), say(found.lexpr, { is: high, value: to })];
    return truth ? { all: ends } : { any: ends };
  }
  if (found.kind === 'AEXPR_IN' || found.kind === 'AEXPR_OP_ANY' || found.kind === 'AEXPR_OP_ALL') {
    const values = literals(found.rexpr);
    const equal = operator === '=' && found.kind !== 'AEXPR_OP_ALL';
    const unequal = operator === '<>' && found.kind !== 'AEXPR_OP_ANY';
    if (!values || !(equal || unequal)) return undefined;
    return say(found.lexpr, { is: equal === truth ? 'in' : 'not in', values: new Set(values) });
  }
  if (found.kind !== 'AEXPR_OP') return undefined;
  const [left, right] = [literalOf(found.lexpr), literalOf(found.rexpr)];
  const value = right ?? left;
  if (value === undefined || (left !== undefined && right !== undefined)) return undefined;
  const subject = right === undefined ? found.rexpr : found.lexpr;
  if (operator === '=' || operator === '<>')
    return say(subject, { is: (operator === '=') === truth ? 'in' : 'not in', values: new Set([value]) });
  const order = comparisons[operator];
  if (order === undefined) return undefined;
  const turned = right === undefined ? flipped[order] : order;
  return say(subject, { is: truth ? turned : negated[turned], value });
}

/** The text of a constant, whatever it is cast to; undefined for anything else, null among it. */
export function literalOf(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  if (cast) return literalOf(cast.arg);
  const constant = as(node, 'A_Const');
  if (!constant || constant.isnull === true) return undefined;
  if (constant.sval) return constant.sval.sval ?? '';
  if (constant.ival) return String(constant.ival.ival ?? 0);
  if (constant.fval) return constant.fval.fval;
  return constant.boolval ? String(constant.boolval.boolval ?? false) : undefined;
}

function literals(node: Node): string[] | undefined {
  const cast = as(node, 'TypeCast');
  if (cast?.arg) return literals(cast.arg);
  const items = as(node, 'List')?.items ?? as(node, 'A_ArrayExpr')?.elements;
  const values = items?.map(literalOf);
  return values?.every((value) => value !== undefined) ? values : undefined;
}

/** PostgreSQL's own that answer null where an argument is: those that indexes and conditions are made of. */
const strictFunctions: ReadonlySet<string> = new Set(
  (
    'abs btrim ceil char_length date date_part date_trunc extract floor hashtext initcap left length lower ltrim md5 ' +
    'normalize regexp_replace replace reverse right round rtrim sha256 split_part substring timezone upper'
  ).split(' '),
);

export function isNullConstant(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  return cast ? isNullConstant(cast.arg) : as(node, 'A_Const')?.isnull === true;
}

/** A value that no two rows share: of a sequence, or drawn at random. */
export function isDrawn(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  if (cast) return isDrawn(cast.arg);
  const [called = ''] = strings(as(node, 'FuncCall')?.funcname).slice(-1);
  return /^(?:nextval|gen_random_uuid|uuidv[47]|uuid_generate_v(?:1|1mc|4))$/.test(called);
}

/**
 * Columns in which an expression is strict: null where one of them is. Operators are, casts are, and the functions that
 * are known here.
 */
export function columnsStrict(node: Node | undefined): string[] {
  if (node === undefined) return [];
  const column = as(node, 'ColumnRef');
  if (column) return strings(column.fields).slice(-1);
  const cast = as(node, 'TypeCast');
  if (cast) return columnsStrict(cast.arg);
  const call = as(node, 'FuncCall');
  if (call && strictFunctions.has(strings(call.funcname).at(-1) ?? '')) return (call.args ?? []).flatMap(columnsStrict);
  const operation = as(node, 'A_Expr');
  const plain = ['AEXPR_OP', 'AEXPR_IN', 'AEXPR_LIKE', 'AEXPR_ILIKE', 'AEXPR_BETWEEN', 'AEXPR_OP_ANY', 'AEXPR_OP_ALL'];
  if (operation && plain.includes(operation.kind ?? ''))
    return [...columnsStrict(operation.lexpr), ...columnsStrict(operation.rexpr)];
  return [];
}

const places = /^(location|rexpr_list_start|rexpr_list_end|list_start|list_end|stmt_len|stmt_location)$/;
const textual: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar']);

/** The tree as text, without places and without casts between the kinds of text, which say the same of a value. */
export function printed(node: Node): string {
  const cast = as(node, 'TypeCast');
  if (cast?.arg && textual.has(strings(cast.typeName?.names).at(-1) ?? '')) return printed(cast.arg);
  const column = as(node, 'ColumnRef');
  if (column) return JSON.stringify({ ColumnRef: strings(column.fields).slice(-1) });
  return `{"${tagOf(node)}":${JSON.stringify(fieldsOf(node), (key, value: unknown) => {
    if (places.test(key)) return undefined;
    const inner = isNode(value) ? (as(value, 'TypeCast') ?? as(value, 'ColumnRef')) : undefined;
    return inner && isNode(value) ? printed(value) : value;
  })}}`;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 1;
}

export function columnsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => {
    const found: string[] = [];
    JSON.stringify(node, (_, value: unknown) => {
      if (isNode(value)) found.push(...strings(as(value, 'ColumnRef')?.fields).slice(-1));
      return value;
    });
    return found;
  });
}

/** For `col`, `col IS NULL` or `col = value`, as facts about a column that somebody does not write. */
export function columnFact(column: string, value: string | undefined): Atom {
  const of = JSON.stringify({ ColumnRef: [column] });
  return value === undefined
    ? { of, test: { is: 'null' }, strictIn: [] }
    : { of, test: { is: 'in', values: new Set([value]) }, strictIn: [column] };
}

export function notNullFact(column: string): Atom {
  return { of: JSON.stringify({ ColumnRef: [column] }), test: { is: 'not null' }, strictIn: [] };
}
