import { all } from '../ast.ts';
import { lockModes } from '../locks.ts';
import { plainIdent, plainTable } from '../names.ts';
import { insideTransaction, outsideTransaction } from '../../outside-transaction.ts';
import type { LintRule } from '../rule.ts';
import { strongLocks } from '../statement-locks.ts';
import { forEach } from './help.ts';

export const lockTable: LintRule = {
  id: 'lock-table',
  title: 'LOCK TABLE',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  why: 'The lock is held until the transaction ends, and everybody that it conflicts with waits that long.',
  instead: 'Let each statement take the lock that it needs, in a short transaction with a lock_timeout.',
  bad: 'LOCK TABLE t;',
  good: 'LOCK TABLE t IN ACCESS SHARE MODE;',
  remedy: false,
  check: {
    LockStmt: (node, context) => {
      const mode = lockModes[(node.mode ?? 8) - 1] ?? 'ACCESS EXCLUSIVE';
      const relation = all(node.relations, 'RangeVar').find((one) => !context.isNew(one));
      return !relation || (node.mode ?? 8) <= 3
        ? undefined
        : {
            message: `${relation.relname ?? ''} is locked to the end of the transaction.`,
            lock: mode,
            table: context.name(relation),
          };
    },
  },
};

export const manyExclusive: LintRule = {
  id: 'many-exclusive-locks',
  title: 'Several tables under ACCESS EXCLUSIVE in one transaction',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  why:
    'The first table stays locked while the second lock is waited for. Software that uses them in another ' +
    'order deadlocks with it, and one long query on the last table holds up all of them.',
  instead: 'One table in a migration, so that each lock is held for a moment.',
  bad: 'ALTER TABLE t ADD COLUMN n integer;\nALTER TABLE p ADD COLUMN n integer;',
  good: 'ALTER TABLE t ADD COLUMN n integer;\nALTER TABLE t ADD COLUMN m integer;',
  check: forEach(
    [
      'AlterTableStmt',
      'TruncateStmt',
      'RenameStmt',
      'DropStmt',
      'RuleStmt',
      'CreatePolicyStmt',
      'RefreshMatViewStmt',
      'ClusterStmt',
    ],
    (context) => {
      if (!context.transaction.open) return undefined;
      const held = context.transaction.exclusive;
      const next = strongLocks(context).find(
        (one) => one.mode === 'ACCESS EXCLUSIVE' && !held.has(`${one.table.schema}.${one.table.name}`),
      );
      // Said once per transaction: at the second table.
      return next && held.size === 1
        ? {
            message: `${[...held][0]?.replace(/^public\./, '')} stays locked while ${next.table.name} is waited for.`,
            table: next.table,
          }
        : undefined;
    },
  ),
};

export const validateTogether: LintRule = {
  id: 'validate-in-same-transaction',
  title: 'NOT VALID and VALIDATE in one transaction',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why: 'The lock of ADD CONSTRAINT is held until the transaction ends, so the scan of VALIDATE runs under it: nothing is won.',
  instead: 'VALIDATE in a later migration, or in a file that runs without a transaction.',
  bad: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT e_positive;',
  good: '-- verdigris: no-transaction\nALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT e_positive;',
  check: {
    AlterTableCmd: (command, context) => {
      const pending =
        context.transaction.open &&
        context.transaction.notValid.has(`${context.table.schema}.${context.table.name}.${command.name ?? ''}`);
      if (command.subtype !== 'AT_ValidateConstraint' || !pending) return undefined;
      const foreign = context.known?.constraints.get(command.name ?? '')?.kind === 'foreign';
      return {
        message: `${context.table.name} is read under the lock that ADD CONSTRAINT took.`,
        range: context.command,
        table: context.table,
        lock: foreign ? 'SHARE ROW EXCLUSIVE' : 'ACCESS EXCLUSIVE',
        fix: `-- in a later migration:\nALTER TABLE ${plainTable(context.table)} VALIDATE CONSTRAINT ${plainIdent(command.name ?? '')};`,
      };
    },
  },
};

export const concurrentInTransaction: LintRule = {
  id: 'outside-transaction-only',
  title: 'The statement cannot run in a transaction',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'PostgreSQL refuses it inside a transaction block (SQLSTATE 25001): the migration fails.',
  instead:
    "A file of its own, that runs without a transaction: `-- verdigris: no-transaction` at its top, or your engine's way to say so.",
  bad: 'BEGIN;\nCREATE INDEX CONCURRENTLY t_a_idx ON t (a);\nCOMMIT;',
  good: '-- verdigris: no-transaction\nCREATE INDEX CONCURRENTLY t_a_idx ON t (a);',
  check: forEach(
    [
      'IndexStmt',
      'DropStmt',
      'ReindexStmt',
      'AlterTableStmt',
      'VacuumStmt',
      'ClusterStmt',
      'CreatedbStmt',
      'DropdbStmt',
      'AlterSystemStmt',
      'DiscardStmt',
    ],
    (context) =>
      outsideTransaction(context.statement.node) && (context.transaction.open || context.statement.nested)
        ? { message: "It fails: this file's statements run in a transaction." }
        : undefined,
  ),
};

export const insideOnly: LintRule = {
  id: 'inside-transaction-only',
  title: 'The statement needs a transaction',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'PostgreSQL refuses it outside of a transaction block (SQLSTATE 25P01): the migration fails.',
  instead: 'Put it between BEGIN and COMMIT with the statements that it is for, or let the file run in a transaction.',
  bad: '-- verdigris: no-transaction\nLOCK TABLE t IN SHARE MODE;',
  good: 'LOCK TABLE t IN SHARE MODE;',
  check: forEach(['LockStmt', 'DeclareCursorStmt', 'TransactionStmt'], ({ statement, transaction }) =>
    insideTransaction(statement.node) && !transaction.open && !statement.nested
      ? { message: 'It fails: here no transaction is open.' }
      : undefined,
  ),
};

export const lockRules: readonly LintRule[] = [
  lockTable,
  manyExclusive,
  validateTogether,
  concurrentInTransaction,
  insideOnly,
];
