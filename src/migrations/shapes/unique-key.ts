import { all, as, strings, type Of } from '../lint/ast.ts';
import { columnsStrict, formulaOf, notNullFact, printed, type Formula } from './formula.ts';
import { implies } from './implies.ts';

/** No two rows may agree in all elements where the condition holds. */
export interface UniqueKey {
  /** Each with the operator that compares it: `=` of a unique index, any of an exclusion constraint. */
  readonly elements: readonly string[];
  /** Columns that make an element null where they are. */
  readonly nullIn: readonly string[];
  readonly when: Formula | undefined;
  readonly nullsEqual: boolean;
}

export type Element = NonNullable<ReturnType<typeof as<'IndexElem'>>>;

export function indexKey(node: Pick<Of<'IndexStmt'>, 'indexParams' | 'whereClause' | 'nulls_not_distinct'>): UniqueKey {
  const elements = all(node.indexParams, 'IndexElem');
  return {
    elements: elements.map((element) => `${elementText(element)} =`),
    nullIn: nullIn(elements),
    when: node.whereClause && formulaOf(node.whereClause),
    nullsEqual: node.nulls_not_distinct === true,
  };
}

/** Of a constraint over columns alone. */
export function columnsKey(columns: readonly string[], nullsEqual = false): UniqueKey {
  return { elements: columns.map((column) => `${column} =`), nullIn: columns, when: undefined, nullsEqual };
}

/** Opclass and collation decide what is equal; the order of an index does not. */
export function elementText({ name, expr, collation, opclass }: Element): string {
  const what = expr ? printed(expr) : (name ?? '');
  return [what, ...strings(collation), ...strings(opclass)].join(' ');
}

export function nullIn(elements: readonly Element[]): string[] {
  return elements.flatMap(({ name, expr }) => (expr ? columnsStrict(expr) : [name ?? '']));
}

/**
 * Whether each two rows that `key` refuses are refused by `other` too. `facts` hold for every row; `notNull`: no row has
 * a null in the key's columns.
 */
export function isRefusedBy(
  key: UniqueKey,
  other: UniqueKey,
  { facts = [], notNull = false }: { readonly facts?: readonly Formula[]; readonly notNull?: boolean } = {},
): boolean {
  // Rows that have a null in it agree with none, unless nulls are equal.
  const present = key.nullsEqual ? [] : key.nullIn.map(notNullFact);
  const given: Formula = { all: [...(key.when ? [key.when] : []), ...present, ...facts] };
  return (
    other.elements.length > 0 &&
    other.elements.every((element) => key.elements.includes(element)) &&
    (!key.nullsEqual || other.nullsEqual || notNull) &&
    (other.when === undefined || implies(given, other.when, 'holds'))
  );
}
