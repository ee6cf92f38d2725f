import { columnFact, notNullFact, type Atom, type Formula } from './formula.ts';
import { implies, isNever } from './implies.ts';
import type { ColumnShape, TableShape, TableShapes, UniqueRule } from './rules.ts';
import { isRefusedBy } from './unique-key.ts';

/** Something of the one schema that refuses what the other takes. */
export interface Stricter {
  readonly by: 'check' | 'unique' | 'foreign key';
  readonly object: string;
}

/**
 * Rules of `to` that refuse rows which `from` takes. Rows come from software that knows `from` alone, or by replication
 * from a database that has it: a column that only `to` has holds its default in them.
 */
export function stricterRules(from: TableShapes, to: TableShapes): Stricter[] {
  return [...to].flatMap(([table, shape]) => {
    const before = from.get(table);
    return before ? stricterIn(before, shape).map(({ by, name }) => ({ by, object: `${table}.${name}` })) : [];
  });
}

export function stricterIn(before: TableShape, after: TableShape): { by: Stricter['by']; name: string }[] {
  const fresh = [...after.columns].filter(([column]) => !before.columns.has(column));
  const facts = [
    ...fresh.flatMap(([column, shape]) => factOf(column, shape)),
    ...[...before.columns].flatMap(([column, { notNull }]) => (notNull ? [notNullFact(column)] : [])),
  ];
  const fills = new Map(fresh);
  const computed = (column: string): boolean => ['drawn', 'expression'].includes(fills.get(column)?.filled.by ?? '');
  const given: Formula = { all: [...before.checks.map(({ formula }) => formula), ...facts] };
  const checks = after.checks.filter(
    ({ formula, columns }) =>
      !implies(given, formula, 'passes') &&
      // What the migration computes it has to check itself: PostgreSQL did when the constraint was made.
      !(columns.length > 0 && columns.every((column) => fills.has(column)) && columns.some(computed)),
  );
  const uniques = after.uniques.filter((rule) => !isKept(rule, before, fills, facts));
  const foreignKeys = after.foreignKeys.filter(
    ({ columns, to }) =>
      !before.foreignKeys.some((one) => one.columns.join() === columns.join() && one.to === to) &&
      !columns.some((column) => fills.get(column)?.filled.by === 'null') &&
      !columns.every((column) => fills.has(column)),
  );
  return [
    ...checks.map(({ name }) => ({ by: 'check' as const, name })),
    ...uniques.map(({ name }) => ({ by: 'unique' as const, name })),
    ...foreignKeys.map(({ name }) => ({ by: 'foreign key' as const, name })),
  ];
}

/** What is known of a column in rows of software that does not write it. */
function factOf(column: string, { filled }: ColumnShape): Atom[] {
  if (filled.by === 'expression' || filled.by === 'drawn') return [];
  return [columnFact(column, filled.by === 'constant' ? filled.value : undefined)];
}

/** Whether no two rows that were taken before are refused by it. */
function isKept(
  rule: UniqueRule,
  before: TableShape,
  fills: ReadonlyMap<string, ColumnShape>,
  facts: readonly Atom[],
): boolean {
  const isFilled = (by: ColumnShape['filled']['by']) => (column: string) => fills.get(column)?.filled.by === by;
  const differs = rule.plain.some(isFilled('drawn')) || (!rule.nullsEqual && rule.nullIn.some(isFilled('null')));
  if (differs || (rule.when && isNever(rule.when, facts))) return true;
  const notNull = rule.columns.every((column) => before.columns.get(column)?.notNull === true);
  return before.uniques.some((old) => isRefusedBy(rule, old, { facts, notNull }));
}
