import type { Constraint, Node } from 'libpg-query';
import { all, relationName, strings, walk, type Name, type Of } from '../ast.ts';
import type { AlterContext, LintContext } from '../context.ts';
import { derivedName } from '../names.ts';
import type { LintRule } from '../rule.ts';
import type { ConstraintFact, Schema } from '../facts.ts';
import { constraintName, said } from '../learn-table.ts';
import { truthsOf } from '../rows-of-n.ts';
import { columnsOf, columnsStrict, formulaOf, notNullFact } from '../../shapes/formula.ts';
import { implies, isNever } from '../../shapes/implies.ts';
import { columnsKey, indexKey, isRefusedBy, type UniqueKey } from '../../shapes/unique-key.ts';
import { columnObject, constraintColumns, isNotEnforced } from './help.ts';
import { isDrawnHere, knownValues, newColumn, staysNull } from './new-columns.ts';
import { added } from './constraints.ts';

export const newUnique: LintRule = {
  id: 'new-unique',
  title: 'Values must be unique from now on',
  severity: 'error',
  category: 'replication',
  where: 'both',
  why:
    'The live release does not know the rule and may write the same value twice. On the live database its INSERT ' +
    'fails; on a candidate the row comes by replication, violates the index and stops it until somebody acts.',
  instead:
    'Make the software keep values unique in the new release, and the database in the release after. Look for duplicates first.',
  bad: 'CREATE UNIQUE INDEX CONCURRENTLY b_once ON t (b);',
  good: 'CREATE INDEX CONCURRENTLY b_search ON t (b);',
  remedy: false,
  check: {
    ...added(['CONSTR_UNIQUE', 'CONSTR_PRIMARY'], (constraint, context, column) => {
      const columns = constraintColumns(constraint, column);
      // add-required-column speaks of a new column that is the key: the live release does not write it.
      const newKey = column !== undefined && constraint.contype === 'CONSTR_PRIMARY';
      if (newKey || constraint.indexname !== undefined) return undefined;
      const nulls = constraint.contype === 'CONSTR_UNIQUE' && constraint.nulls_not_distinct !== true;
      const key = columnsKey(columns, constraint.contype === 'CONSTR_UNIQUE' && !nulls);
      if (alreadyUnique(context.schema, context.table, key)) return undefined;
      if (columns.some((key) => isDrawnHere(context, context.table, key))) return undefined;
      // A new column is null in the rows of the live release, and nulls are not equal to each other.
      if (nulls && columns.some((key) => staysNull(context, context.table, key))) return undefined;
      const kind = constraint.contype === 'CONSTR_PRIMARY' ? 'primary' : 'unique';
      return {
        message: `A second row with the same ${columns.join(', ')} in ${context.table.name} stops the live release, or replication to the candidate.`,
        object: constraintObject(context, constraint, kind, columns),
      };
    }),
    IndexStmt: (node, context) => {
      if (node.unique !== true || context.isNew(node.relation)) return undefined;
      const table = relationName(node.relation, context.schema.defaultSchema);
      const elements = all(node.indexParams, 'IndexElem');
      const columns = elements.map((element) => element.name);
      const nullIn = elements.flatMap(({ name, expr }) => (expr ? columnsStrict(expr) : [name]));
      if (node.nulls_not_distinct !== true && nullIn.some((column) => staysNull(context, table, column)))
        return undefined;
      if (columns.some((column) => isDrawnHere(context, table, column))) return undefined;
      if (node.whereClause && holdsForNone(node.whereClause, context, table)) return undefined;
      if (alreadyUnique(context.schema, table, indexKey(node))) return undefined;
      return {
        message: `A second row with the same value in ${table.name} stops the live release, or replication to the candidate.`,
        table,
        object: columnObject(
          table,
          node.idxname ?? derivedName([table.name, ...columns.map((one) => one ?? 'expr')], 'idx'),
        ),
      };
    },
  },
};

/** A partial index holds no row of the live release where what this release adds decides its condition. */
function holdsForNone(condition: Node, context: LintContext, table: Name): boolean {
  const known = knownValues(context, table, columnsOf([condition]));
  const truths = truthsOf(condition, (column) => staysNull(context, table, column));
  return !truths.has('true') || isNever(formulaOf(condition), known);
}

/** Where fewer columns are unique already, more of them are: what the live release writes has passed the narrower key. */
function alreadyUnique(schema: Schema, table: Name, key: UniqueKey): boolean {
  return schema.formerKeys(table).some((former) => isRefusedBy(key, former));
}

/** As the gate of `migrate` prints a constraint. */
function constraintObject(
  { table }: AlterContext,
  { conname }: Constraint,
  kind: ConstraintFact['kind'],
  columns: readonly string[],
): string {
  return columnObject(table, conname ?? constraintName(table.name, kind, columns));
}

export const stricter: LintRule = {
  id: 'stricter-constraint',
  title: 'A check that the live release does not know',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why:
    'NOT VALID spares the old rows only: new ones are checked at once. The live release may write what the ' +
    'constraint refuses. A CHECK also stops replication to a candidate; a foreign key is not checked there ' +
    'and surfaces at verification.',
  instead:
    'Let the new release keep the rule in software; add the constraint in the release after, when the live release of today can no longer write any more.',
  bad: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0) NOT VALID;',
  good: 'ALTER TABLE t VALIDATE CONSTRAINT t_a_check;',
  remedy: false,
  check: added(['CONSTR_CHECK', 'CONSTR_FOREIGN'], (constraint, context, column) => {
    if (isNotEnforced(constraint) || takesRowsOfN(constraint, context, column)) return undefined;
    if (knownBefore(constraint, context)) return undefined;
    const kind = constraint.contype === 'CONSTR_CHECK' ? 'check' : 'foreign';
    const object = constraintObject(
      context,
      constraint,
      kind,
      kind === 'check' ? [...new Set(referenced(constraint))] : constraintColumns(constraint),
    );
    const message =
      constraint.contype === 'CONSTR_CHECK'
        ? `Rows of the live release that do not pass the check are refused by ${context.table.name}, NOT VALID or not.`
        : `The live release may write rows to ${context.table.name} that have no counterpart in ${constraint.pktable?.relname ?? ''}.`;
    return { message, object };
  }),
};

/** The live release lives with constraints that say the same, under whatever name, or refuse as much. */
function knownBefore(constraint: Constraint, context: AlterContext): boolean {
  const kind = constraint.contype === 'CONSTR_CHECK' ? 'check' : 'foreign';
  const saying = said(constraint, kind, kind === 'check' ? [] : constraintColumns(constraint));
  const former = context.schema.formerConstraints(context.table);
  if (former.some((old) => old.kind === kind && old.says === saying)) return true;
  if (!constraint.raw_expr) return false;
  const notNull = [...(context.known?.columns ?? [])].filter(([, fact]) => fact.notNull);
  const given = [...former.flatMap(({ formula }) => formula ?? []), ...notNull.map(([column]) => notNullFact(column))];
  return implies({ all: given }, formulaOf(constraint.raw_expr), 'passes');
}

/** A new column is null in every row that the live release writes, and null passes a foreign key and most checks. */
function takesRowsOfN(constraint: Constraint, context: AlterContext, column: string | undefined): boolean {
  const isNull = (name: string): boolean => staysNull(context, context.table, name);
  if (constraint.contype === 'CONSTR_FOREIGN') {
    if (column !== undefined || ownColumnsOnly(constraint, context)) return true;
    return constraint.fk_matchtype !== 'f' && constraintColumns(constraint).some(isNull);
  }
  const truths = truthsOf(constraint.raw_expr, isNull);
  if (!truths.has('false')) return true;
  // Over what a default fills nothing is known here.
  return truths.size > 1 && (column !== undefined || ownColumnsOnly(constraint, context));
}

/** The live release does not write the columns that this release adds. */
function ownColumnsOnly(constraint: Constraint, context: AlterContext): boolean {
  const columns = constraint.contype === 'CONSTR_CHECK' ? referenced(constraint) : constraintColumns(constraint);
  return columns.length > 0 && columns.every((column) => newColumn(context, context.table, column));
}

function referenced(constraint: Constraint): string[] {
  return [...walk(constraint.raw_expr)].flatMap(([tag, fields]) =>
    tag === 'ColumnRef' ? strings(fields['fields'] as Of<'ColumnRef'>['fields']).slice(-1) : [],
  );
}

export const newConstraintRules: readonly LintRule[] = [newUnique, stricter];
