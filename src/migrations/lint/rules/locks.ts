import { all, as } from '../ast.ts';
import { lockModes } from '../locks.ts';
import { plainIdent, plainTable } from '../names.ts';
import { outsideTransaction } from '../../outside-transaction.ts';
import type { LintRule } from '../rule.ts';
import { strongLocks } from '../statement-locks.ts';
import { concurrently, forEach } from './help.ts';

export const refresh: LintRule = {
  id: 'refresh-materialized-view',
  title: 'REFRESH without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'Readers of the view wait until its query has run and its rows are written.',
  instead: 'REFRESH … CONCURRENTLY, which needs a unique index on the view and lets readers go on.',
  bad: 'REFRESH MATERIALIZED VIEW mv;',
  good: 'REFRESH MATERIALIZED VIEW CONCURRENTLY mv;',
  check: {
    RefreshMatViewStmt: (node, context) =>
      node.concurrent === true || context.isNew(node.relation)
        ? undefined
        : {
            message: `Readers of ${node.relation?.relname ?? ''} wait for the refresh.`,
            table: context.name(node.relation),
            fix: concurrently(context.statement.text, /^REFRESH\s+MATERIALIZED\s+VIEW\b/i),
          },
  },
};

export const attach: LintRule = {
  id: 'attach-partition-scan',
  title: 'ATTACH PARTITION reads the table under lock',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why:
    'Every row of the table that is attached is read to prove that it belongs there, under ACCESS EXCLUSIVE ' +
    'on that table; a default partition is read as well.',
  instead:
    'Add a CHECK with the partition’s bounds NOT VALID, VALIDATE it, then ATTACH (a moment), then drop the check.',
  bad: "ALTER TABLE m ATTACH PARTITION m_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
  good:
    "-- verdigris: no-transaction\nALTER TABLE m_2026 ADD CONSTRAINT m_2026_bounds CHECK (at >= '2026-01-01' " +
    "AND at < '2027-01-01') NOT VALID;\n" +
    'ALTER TABLE m_2026 VALIDATE CONSTRAINT m_2026_bounds;\n' +
    "ALTER TABLE m ATTACH PARTITION m_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
  check: {
    AlterTableCmd: (command, context) => {
      const part = command.subtype === 'AT_AttachPartition' ? as(command.def, 'PartitionCmd') : undefined;
      const table = part && context.name(part.name);
      if (!table || context.schema.isNew(table)) return undefined;
      const proven = [...(context.schema.table(table)?.constraints.values() ?? [])].some(
        (one) => one.kind === 'check' && one.valid,
      );
      return proven
        ? undefined
        : { message: `All rows of ${table.name} are read to prove the bounds.`, range: context.command, table };
    },
  },
};

export const detach: LintRule = {
  id: 'detach-partition-blocking',
  title: 'DETACH PARTITION without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  why: 'It takes ACCESS EXCLUSIVE on the partitioned table: queries on all partitions wait, behind the longest one at work.',
  instead: 'DETACH PARTITION … CONCURRENTLY, outside a transaction (not where there is a default partition).',
  bad: 'ALTER TABLE m DETACH PARTITION m_2025;',
  good: 'ALTER TABLE m DETACH PARTITION m_2025 CONCURRENTLY;',
  check: {
    AlterTableCmd: (command, context) => {
      const part = command.subtype === 'AT_DetachPartition' ? as(command.def, 'PartitionCmd') : undefined;
      if (!part || part.concurrent === true) return undefined;
      return {
        message: `All of ${context.table.name} is locked.`,
        range: context.command,
        table: context.table,
        fix: `${context.statement.text} CONCURRENTLY;`,
      };
    },
  },
};

export const moveStorage: LintRule = {
  id: 'move-storage',
  title: 'A table is moved to another tablespace or access method',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'The table is copied whole under ACCESS EXCLUSIVE. A tablespace on another volume also leaves the snapshot that candidates are made from.',
  instead: 'pg_repack on a live database; on a candidate, before the switchover.',
  bad: 'ALTER TABLE t SET TABLESPACE fast;',
  good: 'ALTER TABLE t SET (autovacuum_enabled = true);',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_SetTableSpace' || command.subtype === 'AT_SetAccessMethod'
        ? { message: `${context.table.name} is copied whole.`, range: context.command, table: context.table }
        : undefined,
    AlterTableStmt: (node, context) => {
      const [index, name] = [node.objtype === 'OBJECT_INDEX', context.name(node.relation)];
      const moved = all(node.cmds, 'AlterTableCmd').some(({ subtype }) => subtype === 'AT_SetTableSpace');
      if (!moved || !(index || node.objtype === 'OBJECT_MATVIEW') || context.isNew(node.relation)) return undefined;
      // An index is no table: the report has no size for it.
      return { message: `${name.name} is copied whole.`, ...(index ? {} : { table: name }) };
    },
    AlterTableMoveAllStmt: (node) => ({ message: `Everything in ${node.orig_tablespacename ?? ''} is copied.` }),
  },
};

export const createTrigger: LintRule = {
  id: 'create-trigger',
  title: 'A trigger on a table in use',
  severity: 'info',
  category: 'lock',
  where: 'both',
  lock: 'SHARE ROW EXCLUSIVE',
  why:
    'Writes wait for the lock, which is held to the end of the transaction. The trigger fires for the live release ' +
    'too; it does not fire for rows that replication brings to the candidate.',
  instead:
    'A transaction of its own with a lock_timeout. Do not rely on it for rows written before the switchover: backfill them.',
  bad: 'CREATE TRIGGER again BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY);\nCREATE TRIGGER again BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION tf();',
  remedy: false,
  check: {
    CreateTrigStmt: (node, context) =>
      context.isNew(node.relation)
        ? undefined
        : {
            message: `${node.trigname ?? ''} fires for writes to ${node.relation?.relname ?? ''}, not for replicated rows.`,
            table: context.name(node.relation),
          },
    CreateEventTrigStmt: ({ trigname = '' }) => ({
      message: `${trigname} fires for what migrations and Verdigris itself define, on each database by itself: what it writes differs.`,
      lock: 'none',
      severity: 'warning',
    }),
  },
};

export const createRule: LintRule = {
  id: 'create-rule',
  title: 'A rewrite rule',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  why: 'A rule changes what statements of the live release mean, takes ACCESS EXCLUSIVE, and is not applied to replicated rows.',
  instead: 'A trigger, or a view with INSTEAD OF triggers.',
  bad: 'CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;',
  good: 'CREATE VIEW t_view AS SELECT id FROM t;',
  remedy: false,
  check: {
    RuleStmt: (node, context) =>
      context.isNew(node.relation)
        ? undefined
        : {
            message: `Statements on ${node.relation?.relname ?? ''} mean something else from now on.`,
            table: context.name(node.relation),
          },
  },
};

export const disableTrigger: LintRule = {
  id: 'disable-trigger',
  title: 'Triggers are disabled',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  lock: 'SHARE ROW EXCLUSIVE',
  why:
    'ALL includes those that keep foreign keys: rows written meanwhile by anybody are not checked, and ' +
    'nothing checks them afterwards. On a live database the whole software runs without them.',
  instead: 'Name the trigger, in one transaction with what it stands in the way of, and enable it in the same.',
  bad: 'ALTER TABLE t DISABLE TRIGGER ALL;',
  good: 'ALTER TABLE t ENABLE TRIGGER t_touch;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      ['AT_DisableTrig', 'AT_DisableTrigAll', 'AT_DisableTrigUser', 'AT_DisableRule'].includes(command.subtype ?? '')
        ? {
            message: `Writes to ${context.table.name} go without ${command.name ?? 'its triggers'}.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
  },
};

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
    'A file of its own, that runs without a transaction: `-- verdigris: no-transaction` at its top, or your engine’s way to say so.',
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
    ],
    (context) =>
      outsideTransaction(context.statement.node) && (context.transaction.open || context.statement.nested)
        ? { message: 'It fails: this file’s statements run in a transaction.' }
        : undefined,
  ),
};

export const lockRules: readonly LintRule[] = [
  refresh,
  attach,
  detach,
  moveStorage,
  createTrigger,
  createRule,
  disableTrigger,
  lockTable,
  manyExclusive,
  validateTogether,
  concurrentInTransaction,
];
