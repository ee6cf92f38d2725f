import { all, as, type Of } from '../ast.ts';
import type { AlterContext } from '../context.ts';
import type { ConstraintFact } from '../facts.ts';
import { said } from '../learn-table.ts';
import { dropUniqueIndex } from './drop-unique-index.ts';
import { constraintColumns, laterCommands } from './help.ts';
import type { LintRule } from '../rule.ts';
import { formulaOf } from '../../shapes/formula.ts';
import { implies } from '../../shapes/implies.ts';

export const dropConstraint: LintRule = {
  id: 'drop-constraint',
  title: 'A constraint is dropped',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'The retained database still has the constraint. A row of the new release that it refuses stops reverse ' +
    'replication, so that a rollback would lose rows. The live release may also rely on a unique constraint in ON ' +
    'CONFLICT. Putting it back fails where rows violate it by then.',
  instead:
    'Drop it in one release and use the freedom in the next: then no database that can take part in a rollback has it.',
  bad: 'ALTER TABLE t DROP CONSTRAINT t_a_check;',
  good: 'ALTER TABLE t VALIDATE CONSTRAINT t_a_check;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const known = context.known?.constraints.get(command.name ?? '');
      if (command.subtype !== 'AT_DropConstraint' || known?.batch === context.schema.batch) return undefined;
      if (known?.kind === 'primary' || (known && comesBack(context, known))) return undefined;
      // Foreign keys are not checked by apply, so nothing stops.
      const foreign = known ? known.kind === 'foreign' : /(?:^|_)fk(?:ey)?(?:_|$)/i.test(command.name ?? '');
      return {
        message: `${known ? `The ${known.kind} constraint` : 'Constraint'} ${command.name ?? ''} of ${context.table.name} stays on the retained database.`,
        range: context.command,
        table: context.table,
        breaksRollback: !foreign,
        ...(foreign ? { severity: 'info' as const, verdict: 'harmless' as const } : {}),
      };
    },
  },
};

/** One that says the same, or refuses more, is added by this statement or a later one of the file. */
function comesBack(context: AlterContext, { kind, says, formula }: ConstraintFact): boolean {
  return [...context.commands, ...laterCommands(context)].some((command) => {
    const added = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
    if (added?.contype === 'CONSTR_CHECK' && added.raw_expr && formula)
      return implies(formulaOf(added.raw_expr), formula, 'passes');
    return added !== undefined && said(added, kind, kind === 'check' ? [] : keyColumns(added, context)) === says;
  });
}

export const dropPrimaryKey: LintRule = {
  id: 'drop-primary-key',
  title: 'The primary key is dropped',
  severity: 'error',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'The primary key says which row an UPDATE or DELETE means. Without it, and ' +
    'while the table is published, UPDATE and DELETE fail on the database itself.',
  instead:
    'Make the new key first (CREATE UNIQUE INDEX CONCURRENTLY), set REPLICA IDENTITY USING INDEX, and change the key in one statement.',
  bad: 'ALTER TABLE p DROP CONSTRAINT p_pkey;',
  good: 'ALTER TABLE t DROP CONSTRAINT IF EXISTS unknown_check;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const known = context.known?.constraints.get(command.name ?? '');
      const primary = known ? known.kind === 'primary' : command.name === `${context.table.name}_pkey`;
      if (command.subtype !== 'AT_DropConstraint' || !primary) return undefined;
      const renewed = context.commands.some(isPrimary);
      const [again] = [...context.commands, ...laterCommands(context)].filter(isPrimary);
      // Another index of the same columns identifies the same rows.
      if (known && again && isSameKey(again, known, context)) return undefined;
      const severity = renewed ? 'warning' : 'error';
      const rest = renewed
        ? 'is replaced: both databases must identify rows by the same columns for replication to go on'
        : 'identified the rows for UPDATE and DELETE in replication';
      return {
        message: `${command.name ?? ''} of ${context.table.name} ${rest}.`,
        range: context.command,
        table: context.table,
        severity,
      };
    },
  },
};

function isPrimary({ subtype, def }: Of<'AlterTableCmd'>): boolean {
  return subtype === 'AT_AddConstraint' && as(def, 'Constraint')?.contype === 'CONSTR_PRIMARY';
}

/** Its own, or those of the index that it is made of. */
function keyColumns(constraint: Of<'Constraint'>, { schema, table }: AlterContext): readonly string[] {
  if (constraint.indexname === undefined) return constraintColumns(constraint);
  return schema.indexes.get({ schema: table.schema, name: constraint.indexname })?.columns ?? [];
}

function isSameKey({ def }: Of<'AlterTableCmd'>, { columns }: ConstraintFact, context: AlterContext): boolean {
  const constraint = as(def, 'Constraint');
  const keys = constraint ? keyColumns(constraint, context) : [];
  return constraint?.deferrable !== true && keys.length > 0 && keys.toSorted().join() === columns.toSorted().join();
}

export const deferrableKey: LintRule = {
  id: 'deferrable-primary-key',
  title: 'A deferrable key identifies no rows',
  severity: 'error',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why: 'PostgreSQL does not use a deferrable primary key as replica identity. Once the table is published, UPDATE and DELETE on it fail.',
  instead: 'Make the primary key not deferrable; where order of updates matters, defer a second unique constraint.',
  bad: 'CREATE TABLE fresh (id bigint PRIMARY KEY DEFERRABLE);',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY, place integer UNIQUE DEFERRABLE);',
  check: {
    CreateStmt: (node, context) =>
      node.relation?.relpersistence !== 't' && hasDeferrableKey(node)
        ? {
            message: `The primary key of ${node.relation?.relname ?? ''} is deferrable: replication cannot identify rows by it.`,
            table: context.name(node.relation),
          }
        : undefined,
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_AddConstraint' && isDeferrableKey(as(command.def, 'Constraint'))
        ? {
            message: `The primary key of ${context.table.name} is deferrable: replication cannot identify rows by it.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
  },
};

function hasDeferrableKey(node: Of<'CreateStmt'>): boolean {
  // On a column, DEFERRABLE is a constraint of its own that qualifies the one before it.
  const onColumn = all(node.tableElts, 'ColumnDef').some((column) => {
    const kinds = all(column.constraints, 'Constraint').map((one) => one.contype);
    return kinds.some((kind, index) => kind === 'CONSTR_PRIMARY' && kinds[index + 1] === 'CONSTR_ATTR_DEFERRABLE');
  });
  return onColumn || all(node.tableElts, 'Constraint').some(isDeferrableKey);
}

function isDeferrableKey(constraint: Of<'Constraint'> | undefined): boolean {
  return constraint?.contype === 'CONSTR_PRIMARY' && constraint.deferrable === true;
}

export const dropConstraintRules: readonly LintRule[] = [
  dropConstraint,
  dropUniqueIndex,
  dropPrimaryKey,
  deferrableKey,
];
