import { all, as, nameLabel, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';
import { laterCommands } from './help.ts';

export const noPrimaryKey: LintRule = {
  id: 'table-without-primary-key',
  title: 'A table without a primary key',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'Replication finds the row of an UPDATE or DELETE by the replica identity, which is the primary key ' +
    'unless told otherwise. Once a table without one is published, UPDATE and DELETE on it fail, on the live ' +
    'database, not on the copy.',
  instead:
    'Give it a primary key; else ALTER TABLE … REPLICA IDENTITY USING INDEX a unique one, or FULL, which is slow.',
  bad: 'CREATE TABLE fresh (name text);',
  good: 'CREATE TABLE fresh (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);',
  check: {
    CreateStmt: (node, context) => {
      // A partition has the key of its partitioned table; a child by INHERITS has none of its parent's.
      if (node.relation?.relpersistence !== 'p' || node.partbound || likeIndexes(node)) return undefined;
      if (node.if_not_exists === true && context.fact(node.relation)) return undefined;
      if (hasPrimaryKey(node) || identifiedLater(context.name(node.relation), context)) return undefined;
      return keyless(context, context.name(node.relation));
    },
    CreateTableAsStmt: (node, context) =>
      node.objtype === 'OBJECT_TABLE' ? madeOfRows(node.into, context) : undefined,
    SelectStmt: (node, context) => madeOfRows(node.intoClause, context),
  },
};

function keyless(context: LintContext, table: { schema: string; name: string }): Draft {
  return {
    message: `UPDATE and DELETE on ${table.name} fail once it is published.`,
    table,
    fix: `ALTER TABLE ${plainTable(table)} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;`,
    range: context.statement.range,
  };
}

function madeOfRows(into: Of<'CreateTableAsStmt'>['into'], context: LintContext): Draft | undefined {
  const table = context.name(into?.rel);
  return into?.rel?.relpersistence === 'p' && !identifiedLater(table, context) ? keyless(context, table) : undefined;
}

function hasPrimaryKey({ tableElts }: Of<'CreateStmt'>): boolean {
  const ofColumns = all(tableElts, 'ColumnDef').flatMap(({ constraints }) => all(constraints, 'Constraint'));
  return [...all(tableElts, 'Constraint'), ...ofColumns].some(({ contype }) => contype === 'CONSTR_PRIMARY');
}

function likeIndexes(node: Of<'CreateStmt'>): boolean {
  // CREATE_TABLE_LIKE_INDEXES of PostgreSQL's parsenodes.h; ALL has every bit.
  return all(node.tableElts, 'TableLikeClause').some((like) => ((like.options ?? 0) & 64) !== 0);
}

/** A key or identity comes, or the table goes, later in the file. */
function identifiedLater(table: { schema: string; name: string }, context: LintContext): boolean {
  return context.after.some((later) => {
    const alter = later.fields as Of<'AlterTableStmt'>;
    if (later.tag === 'AlterTableStmt' && nameLabel(context.name(alter.relation)) === nameLabel(table)) {
      return (
        /"CONSTR_PRIMARY"|"AT_ReplicaIdentity"/.test(JSON.stringify(alter.cmds)) &&
        !/"identity_type":"n"/.test(JSON.stringify(alter.cmds))
      );
    }
    const drop = later.fields as Of<'DropStmt'>;
    return (
      later.tag === 'DropStmt' &&
      drop.removeType === 'OBJECT_TABLE' &&
      (drop.objects ?? []).some((object) => nameLabel(context.nameOf(object)) === nameLabel(table))
    );
  });
}

export const replicaIdentityRule: LintRule = {
  id: 'replica-identity',
  title: 'The replica identity is changed',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  newTables: true,
  why:
    'NOTHING makes UPDATE and DELETE fail on a published table. FULL sends and searches whole rows, which is ' +
    'slow on large tables, and fails for types without an equality operator. A changed identity must exist on ' +
    'both databases.',
  instead: 'A primary key and REPLICA IDENTITY DEFAULT.',
  bad: 'ALTER TABLE t REPLICA IDENTITY NOTHING;',
  good: 'ALTER TABLE t REPLICA IDENTITY DEFAULT;',
  check: {
    AlterTableCmd: (command, context) => {
      const identity = command.subtype === 'AT_ReplicaIdentity' ? as(command.def, 'ReplicaIdentityStmt') : undefined;
      const place = { range: context.command, table: context.table };
      if (identity?.identity_type === 'n')
        return {
          ...place,
          message: `UPDATE and DELETE on ${context.table.name} fail while it is published.`,
          severity: 'error',
          breaksRollback: true,
        };
      if (identity?.identity_type === 'f')
        return {
          ...place,
          message: `Every UPDATE and DELETE on ${context.table.name} sends the whole old row, and is found by comparing rows.`,
          verdict: 'harmless',
        };
      if (identity?.identity_type === 'i')
        return {
          ...place,
          message: `Rows of ${context.table.name} are found by ${identity.name ?? ''}: the other database needs that index.`,
          severity: 'info',
        };
      return undefined;
    },
  },
};

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
    'Leave triggers as they are (they do not fire on apply), except where the row’s own columns are set on both sides alike.',
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
  title: 'Publications and subscriptions are Verdigris’s',
  severity: 'error',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'The release’s own publications, subscriptions and slots carry forward and reverse replication. A ' +
    'migration that makes, changes or drops one can stop them, or be undone when the candidate is removed.',
  instead: 'Declare them in the environment; leave migrations to the schema.',
  bad: 'CREATE PUBLICATION changes FOR ALL TABLES;',
  good: 'CREATE SCHEMA changes;',
  remedy: false,
  check: {
    CreatePublicationStmt: () => says,
    AlterPublicationStmt: () => says,
    CreateSubscriptionStmt: () => says,
    AlterSubscriptionStmt: () => says,
    DropSubscriptionStmt: () => says,
    DropStmt: (node) => (node.removeType === 'OBJECT_PUBLICATION' ? says : undefined),
    SelectStmt: (node, context) => {
      const found = replicationFunction.exec(JSON.stringify(node.targetList ?? []));
      return found ? { message: `${found[0]}() touches replication.`, range: context.statement.range } : undefined;
    },
  },
};

const says = { message: 'A migration that changes replication can stop the release’s own.' };

export const rowSecurityRule: LintRule = {
  id: 'row-security',
  title: 'Row security changes who sees and writes what',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Where row security is on and no policy lets a role, the live release sees no rows. Replication applies as the ' +
    'table’s owner or the subscription’s: FORCE can stop it.',
  instead:
    'Create the policies first, ENABLE in the release whose software expects it, and do not FORCE on replicated tables.',
  bad: 'ALTER TABLE t ENABLE ROW LEVEL SECURITY;',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY);\nALTER TABLE fresh ENABLE ROW LEVEL SECURITY;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_EnableRowSecurity' || command.subtype === 'AT_ForceRowSecurity'
        ? {
            message: `Roles without a policy see and write no row of ${context.table.name}.`,
            range: context.command,
            table: context.table,
            // Without ENABLE, which may be in none of the files, it does nothing.
            ...(command.subtype === 'AT_ForceRowSecurity'
              ? { severity: 'warning' as const, verdict: 'harmless' as const }
              : {}),
          }
        : undefined,
    AlterPolicyStmt: (node, context) =>
      context.isNew(node.table) || !(node.qual ?? node.with_check ?? node.roles)
        ? undefined
        : {
            message: `Other rows of ${node.table?.relname ?? ''} than before pass the policy ${node.policy_name ?? ''}.`,
            table: context.name(node.table),
            severity: 'info' as const,
            verdict: 'harmless' as const,
          },
    CreatePolicyStmt: (node, context) =>
      context.isNew(node.table) || node.permissive === true
        ? undefined
        : {
            message: `A restrictive policy hides rows of ${node.table?.relname ?? ''} from the live release.`,
            table: context.name(node.table),
            severity: 'warning' as const,
            verdict: 'harmless' as const,
          },
  },
};

/** Options by which a sequence goes on from another number, in other steps or to another end. */
const moving = ['restart', 'increment', 'maxvalue', 'minvalue', 'cycle'];

/** As wide as a sequence can be: NO MAXVALUE, NO MINVALUE, and the last number there is. */
function isWidest({ defname, arg }: Of<'DefElem'>): boolean {
  if (defname !== 'maxvalue' && defname !== 'minvalue') return false;
  return arg === undefined || (defname === 'maxvalue' && as(arg, 'Float')?.fval === '9223372036854775807');
}

export const alterSequence: LintRule = {
  id: 'alter-sequence',
  title: 'A sequence is set or changed',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  why:
    'Sequences are not replicated. The switchover sets them on the new live database from the old one’s ' +
    'values; a value set by a migration on the candidate is overwritten, and one that goes back gives out ' +
    'numbers twice.',
  instead: 'Leave sequences to the switchover; change their type or bounds only to wider ones.',
  bad: 'ALTER SEQUENCE s RESTART WITH 1;',
  good: 'CREATE SEQUENCE s2;\nALTER SEQUENCE s2 RESTART WITH 10;',
  check: {
    AlterSeqStmt: (node, context) => {
      const name = nameLabel(context.name(node.sequence));
      const made = context.before.some(
        (one) =>
          one.tag === 'CreateSeqStmt' && nameLabel(context.name((one.fields as Of<'CreateSeqStmt'>).sequence)) === name,
      );
      const risky = all(node.options, 'DefElem').some(
        (one) =>
          (moving.includes(one.defname ?? '') && !isWidest(one)) ||
          (one.defname === 'as' && context.nameOf(as(one.arg, 'TypeName')?.names).name !== 'int8'),
      );
      return risky && !made
        ? { message: `${plainIdent(node.sequence?.relname ?? '')} is set by the switchover, not by migrations.` }
        : undefined;
    },
    AlterTableCmd: (command, context) => {
      const options = command.subtype === 'AT_SetIdentity' ? all(as(command.def, 'List')?.items, 'DefElem') : [];
      return options.some((one) => moving.includes(one.defname ?? '') && !isWidest(one))
        ? {
            message:
              `The sequence of ${context.table.name}.${command.name ?? ''} is set by the switchover, ` +
              'not by migrations.',
            range: context.command,
            table: context.table,
          }
        : undefined;
    },
    SelectStmt: (node, context) => {
      const call = all(node.targetList, 'ResTarget')
        .map((target) => as(target.val, 'FuncCall'))
        .find((one) => context.nameOf(one?.funcname).name === 'setval');
      return call && !context.before.some((one) => one.tag === 'CreateSeqStmt' || one.tag === 'CreateStmt')
        ? {
            message: 'setval() on one database is undone, or doubled, by the switchover.',
            range: context.at(call.location),
          }
        : undefined;
    },
  },
};

export const replicationRules: readonly LintRule[] = [
  noPrimaryKey,
  replicaIdentityRule,
  unlogged,
  setLogged,
  alwaysTrigger,
  replicationObject,
  rowSecurityRule,
  alterSequence,
];
