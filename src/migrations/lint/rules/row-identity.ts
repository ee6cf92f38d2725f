import { all, as, nameLabel, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';

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

export const rowIdentityRules: readonly LintRule[] = [noPrimaryKey, replicaIdentityRule];
