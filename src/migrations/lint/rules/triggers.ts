import type { LintRule } from '../rule.ts';

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

export const triggerRules: readonly LintRule[] = [createTrigger, createRule, disableTrigger];
