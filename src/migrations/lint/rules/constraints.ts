import type { Constraint, Node } from 'libpg-query';
import { all, as, relationName, strings, walk, type Name, type Of } from '../ast.ts';
import type { AlterContext, LintContext } from '../context.ts';
import { derivedName, plainTable } from '../names.ts';
import type { Checks, Draft, LintRule } from '../rule.ts';
import { addedColumn } from './add-column.ts';
import type { ConstraintFact, Schema } from '../facts.ts';
import { constraintName, said } from '../learn-table.ts';
import { truthsOf } from '../rows-of-n.ts';
import { columnsOf, columnsStrict, formulaOf, notNullFact } from '../../shapes/formula.ts';
import { implies, isNever } from '../../shapes/implies.ts';
import { columnsKey, indexKey, isRefusedBy, type UniqueKey } from '../../shapes/unique-key.ts';
import { columnObject, constraintColumns, isNotEnforced, list, nameFor, notValidFirst } from './help.ts';
import { isDrawnHere, knownValues, newColumn, staysNull } from './new-columns.ts';

type Kind = NonNullable<Constraint['contype']>;
type Inspect = (constraint: Constraint, context: AlterContext, column?: string) => Draft | undefined;

/** Constraints that an ALTER TABLE adds, by themselves or on a new column. */
function added(kinds: readonly Kind[], inspect: Inspect): Checks {
  return {
    *AlterTableCmd(command: Of<'AlterTableCmd'>, context: AlterContext) {
      const own = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
      const column = addedColumn(command);
      for (const constraint of own ? [own] : (column?.constraints ?? [])) {
        const draft = kinds.includes(constraint.contype ?? 'CONSTR_NULL')
          ? inspect(constraint, context, own ? undefined : column?.name)
          : undefined;
        if (draft)
          yield { range: own ? context.command : context.at(constraint.location), table: context.table, ...draft };
      }
    },
  };
}

export const checkScan: LintRule = {
  id: 'add-check-scan',
  title: 'CHECK added without NOT VALID',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why: 'Every row is checked while ACCESS EXCLUSIVE is held: nobody reads or writes the table for as long as that takes.',
  instead:
    'Add it NOT VALID (a moment; new rows are checked at once) and VALIDATE it later, which blocks neither reads nor writes.',
  bad: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0);',
  good: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0) NOT VALID;',
  check: added(['CONSTR_CHECK'], (constraint, context, column) => {
    if (constraint.skip_validation === true) return undefined;
    const fix = column === undefined ? { fix: notValidFirst(context, constraint, 'check') } : {};
    return { message: `All rows of ${context.table.name} are checked under the lock.`, ...fix };
  }),
};

export const foreignKeyScan: LintRule = {
  id: 'add-foreign-key-scan',
  title: 'Foreign key added without NOT VALID',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'SHARE ROW EXCLUSIVE',
  work: 'scan',
  why: 'Writes to both tables stop while each row is looked up in the other table.',
  instead:
    'Add it NOT VALID, then VALIDATE it in a later transaction, which lets reads and writes go on. On partitioned tables this needs PostgreSQL 18.',
  bad: 'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);',
  good: 'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id) NOT VALID;',
  check: added(['CONSTR_FOREIGN'], (constraint, context, column) => {
    if (constraint.skip_validation === true) return undefined;
    const other = constraint.pktable?.relname ?? '';
    if (column !== undefined) return onNewColumn(context, column, other);
    const fix =
      context.known?.kind === 'partitioned' && context.config.postgres < 18
        ? {}
        : { fix: notValidFirst(context, constraint, 'foreign') };
    return {
      message: `Writes to ${context.table.name} and ${other} stop while all rows are looked up in ${other}.`,
      ...fix,
    };
  }),
};

/** Where every row is null there is nothing to look up; a default fills them, and they are. */
function onNewColumn(context: AlterContext, column: string, other: string): Draft | undefined {
  const definition = context.commands.map(addedColumn).find((one) => one?.name === column);
  const filled = definition?.constraints.some((one) =>
    ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].includes(one.contype ?? ''),
  );
  if (filled !== true) return undefined;
  return {
    lock: 'ACCESS EXCLUSIVE',
    message:
      `The default fills ${column} in every row, and each is looked up in ${other} by the foreign key: nobody ` +
      `uses ${context.table.name} meanwhile, and nobody writes to ${other}.`,
  };
}

export const primaryKeyScan: LintRule = {
  id: 'add-primary-key',
  title: 'Primary key added without an index made before',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why: 'The index is built under ACCESS EXCLUSIVE; columns that are not known to be NOT NULL are read once more for that.',
  instead: 'CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX, which takes a moment.',
  bad: 'ALTER TABLE k ADD PRIMARY KEY (id);',
  good: '-- verdigris: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY k_id ON k (id);\nALTER TABLE k ADD CONSTRAINT k_pkey PRIMARY KEY USING INDEX k_id;',
  check: added(['CONSTR_PRIMARY'], (constraint, context, column) => usingIndex(constraint, context, column, 'primary')),
};

export const uniqueScan: LintRule = {
  id: 'add-unique-constraint',
  title: 'Unique constraint added without an index made before',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why: 'The index is built under ACCESS EXCLUSIVE: nobody reads or writes the table until it is done.',
  instead: 'CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX.',
  bad: 'ALTER TABLE t ADD CONSTRAINT b_once UNIQUE (b);',
  good: '-- verdigris: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY e_once ON k (e);\nALTER TABLE k ADD CONSTRAINT e_once UNIQUE USING INDEX e_once;',
  check: added(['CONSTR_UNIQUE'], (constraint, context, column) => usingIndex(constraint, context, column, 'unique')),
};

function usingIndex(
  constraint: Constraint,
  context: AlterContext,
  column: string | undefined,
  kind: 'primary' | 'unique',
): Draft | undefined {
  if (constraint.indexname !== undefined) return undefined;
  const columns = constraintColumns(constraint, column);
  const table = plainTable(context.table);
  const index = derivedName([context.table.name, ...columns], 'idx');
  const name = nameFor(context.table, kind, constraint, columns);
  const type = kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE';
  const notNull = columns.every((key) => context.schema.column(context.table, key)?.notNull);
  return {
    message: `The index on ${columns.join(', ')} is built while nobody may use ${context.table.name}.`,
    ...(notNull ? { verdict: 'harmless' as const } : {}),
    ...(column === undefined
      ? {
          fix:
            `CREATE UNIQUE INDEX CONCURRENTLY ${index} ON ${table} (${list(columns)});\n` +
            `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${type} USING INDEX ${index};`,
        }
      : {}),
  };
}

export const exclusion: LintRule = {
  id: 'add-exclusion-constraint',
  title: 'Exclusion constraint on a table in use',
  severity: 'error',
  category: 'lock',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why:
    'Its index is built under ACCESS EXCLUSIVE and there is no concurrent way. Rows that the live release writes ' +
    'on the live database may violate it, and then replication to the candidate stops.',
  instead:
    'Check in the software first; add the constraint on the candidate only when no row can violate it any more, in the release after.',
  bad: 'ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (int4range(a, a + 1) WITH &&);',
  good: 'ALTER TABLE t ADD CONSTRAINT a_small CHECK (a < 100) NOT VALID;',
  remedy: false,
  check: added(['CONSTR_EXCLUSION'], ({ exclusions }, context) => {
    const elements = all(exclusions, 'List').flatMap(({ items }) => all(items, 'IndexElem'));
    const nullIn = elements.flatMap(({ name, expr }) => (expr ? columnsStrict(expr) : [name]));
    // What is null overlaps with nothing: then the lock is all there is to it.
    const harmless = nullIn.some((column) => staysNull(context, context.table, column));
    return {
      message: `Rows of ${context.table.name} that overlap are refused from now on, and the index is built under the lock.`,
      ...(harmless ? { where: 'live' as const } : {}),
    };
  }),
};

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

export const constraintRules: readonly LintRule[] = [
  checkScan,
  foreignKeyScan,
  primaryKeyScan,
  uniqueScan,
  exclusion,
  newUnique,
  stricter,
];
