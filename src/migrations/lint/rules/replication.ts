import type { Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';
import { forbiddenBy, laterCommands } from './help.ts';

export const unlogged: LintRule = {
  id: 'unlogged-table',
  title: 'Unlogged tables are not replicated',
  severity: 'error',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  newTables: true,
  why: 'An unlogged table is emptied by a crash and by the recovery of a snapshot, and cannot be published. What is in it is on one database only.',
  instead: 'A permanent table; a temporary one where the rows are of one session.',
  bad: 'CREATE UNLOGGED TABLE fresh (id bigint PRIMARY KEY);',
  good: 'CREATE TEMPORARY TABLE fresh (id bigint PRIMARY KEY);',
  remedy: false,
  check: {
    CreateStmt: (node, context) => unloggedMade(node.relation, context),
    CreateTableAsStmt: (node, context) => unloggedMade(node.into?.rel, context),
    SelectStmt: (node, context) => unloggedMade(node.intoClause?.rel, context),
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_SetUnLogged'
        ? {
            message: `${context.table.name} leaves replication from here on.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
  },
};

function unloggedMade(made: Of<'CreateStmt'>['relation'], context: LintContext): Draft | undefined {
  if (made?.relpersistence !== 'u') return undefined;
  const table = context.name(made);
  if (
    laterCommands({ after: context.after, name: (relation) => context.name(relation), table }).some(
      ({ subtype }) => subtype === 'AT_SetLogged',
    )
  )
    return undefined;
  return { message: `${made.relname ?? ''} is emptied when the candidate is seeded, and never replicated.`, table };
}

export const setLogged: LintRule = {
  id: 'set-logged',
  title: 'SET LOGGED or UNLOGGED rewrites the table',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'The table is copied under ACCESS EXCLUSIVE, and made LOGGED, all of it goes through the WAL.',
  instead: 'Make a new table of the right kind, fill it in batches and swap them.',
  bad: 'ALTER TABLE t SET UNLOGGED;',
  good: 'ALTER TABLE t SET (fillfactor = 90);',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_SetLogged' || command.subtype === 'AT_SetUnLogged'
        ? { message: `${context.table.name} is copied whole.`, range: context.command, table: context.table }
        : undefined,
  },
};

export const alwaysTrigger: LintRule = {
  id: 'always-trigger',
  title: 'A trigger that fires for replicated rows',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  lock: 'SHARE ROW EXCLUSIVE',
  newTables: true,
  why:
    'The rows it writes are replicated by themselves as well: on the subscriber they arrive twice, which ' +
    'doubles them or stops replication at a duplicate key.',
  instead:
    "Leave triggers as they are (they do not fire on apply), except where the row's own columns are set on both sides alike.",
  bad: 'ALTER TABLE t ENABLE ALWAYS TRIGGER t_touch;',
  good: 'ALTER TABLE t ENABLE TRIGGER t_touch;',
  check: {
    AlterTableCmd: (command, context) =>
      ['AT_EnableAlwaysTrig', 'AT_EnableReplicaTrig', 'AT_EnableAlwaysRule', 'AT_EnableReplicaRule'].includes(
        command.subtype ?? '',
      )
        ? {
            message: `${command.name ?? ''} runs again for each row that replication brings.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
  },
};

const replicationFunction =
  /pg_(?:create_(?:logical|physical)_replication_slot|drop_replication_slot|replication_origin_\w+|logical_slot_get_changes|replication_slot_advance)/;

export const replicationObject: LintRule = {
  id: 'replication-object',
  title: "Publications and subscriptions are Verdigris's",
  severity: 'error',
  category: 'replication',
  where: 'both',
  forbidden: true,
  breaksRollback: true,
  why:
    "The release's own publications, subscriptions and slots carry forward and reverse replication. A " +
    'migration that makes, changes or drops one can stop them, or be undone when the candidate is removed.',
  instead: 'Declare them in the environment; leave migrations to the schema.',
  bad: 'CREATE PUBLICATION changes FOR ALL TABLES;',
  good: 'CREATE SCHEMA changes;',
  remedy: false,
  check: {
    ...forbiddenBy('replication-object'),
    CreatePublicationStmt: () => says,
    AlterPublicationStmt: () => says,
    DropStmt: (node) => (node.removeType === 'OBJECT_PUBLICATION' ? says : undefined),
    SelectStmt: (node, context) => {
      const found = replicationFunction.exec(JSON.stringify(node.targetList ?? []));
      return found ? { message: `${found[0]}() touches replication.`, range: context.statement.range } : undefined;
    },
  },
};

const says = { message: "A migration that changes replication can stop the release's own." };

export const replicationRules: readonly LintRule[] = [unlogged, setLogged, alwaysTrigger, replicationObject];
