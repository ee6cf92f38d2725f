import { all, as, meaning, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { plainTable } from '../names.ts';
import type { LintRule } from '../rule.ts';

export const truncate: LintRule = {
  id: 'truncate',
  title: 'TRUNCATE',
  severity: 'error',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'All rows go, without triggers on the rows and under ACCESS EXCLUSIVE. On the live database it is ' +
    'replicated; on a candidate only the candidate loses the rows, and every later UPDATE of one of them is ' +
    'silently skipped there.',
  instead: 'Delete in batches, in a job of its own, not in a migration.',
  bad: 'TRUNCATE lone;',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY);\nTRUNCATE fresh;',
  remedy: false,
  check: {
    *TruncateStmt(node, context) {
      for (const relation of all(node.relations, 'RangeVar')) {
        if (!context.isNew(relation))
          yield {
            message: `All rows of ${relation.relname ?? ''} go.`,
            range: context.at(relation.location),
            table: context.name(relation),
          };
      }
    },
  },
};

export const deleteAll: LintRule = {
  id: 'delete-without-where',
  title: 'DELETE without WHERE',
  severity: 'error',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  work: 'scan',
  why: 'All rows go, in one transaction that holds their locks to its end. No down migration brings them back.',
  instead: 'Name the rows in a WHERE clause, and delete in batches.',
  bad: 'DELETE FROM lone;',
  good: 'DELETE FROM lone WHERE id = 7;',
  check: {
    DeleteStmt: (node, context) =>
      !everyRow(node.whereClause) || context.isNew(node.relation)
        ? undefined
        : { message: `All rows of ${node.relation?.relname ?? ''} go.`, table: context.name(node.relation) },
  },
};

export const updateAll: LintRule = {
  id: 'update-without-where',
  title: 'UPDATE without WHERE',
  severity: 'warning',
  category: 'destructive',
  where: 'both',
  work: 'scan',
  why:
    'Every row is rewritten and stays locked until the transaction ends; the old values are gone. The table ' +
    'doubles in size until VACUUM has run, and all of it is written to the WAL.',
  instead:
    'Update in batches by key, only rows that need it: declare it in a file `NNNN_name.backfill.yaml` (`verdigris backfill`).',
  bad: 'UPDATE t SET flag = false;',
  good: 'UPDATE t SET flag = false WHERE id = 7;',
  check: {
    UpdateStmt: (node, context) => {
      if (!everyRow(node.whereClause) || context.isNew(node.relation)) return undefined;
      const table = context.name(node.relation);
      return {
        message: `Every row of ${table.name} is locked and rewritten.`,
        table,
        fix: `-- in batches, outside the migration:\n${context.statement.text} WHERE id BETWEEN … AND …;`,
      };
    },
  },
};

export const backfillRule: LintRule = {
  id: 'backfill-in-migration',
  title: 'A table is filled inside a schema migration',
  severity: 'warning',
  category: 'lock',
  where: 'both',
  work: 'scan',
  why:
    "The locks that the migration's DDL took are held until the last row is written; the rows stay locked as " +
    'long. On a candidate, rows that are changed here and by the live release at the same time stay different: ' +
    "replication brings the old column's value and does not touch the new one.",
  instead:
    'Put the data change into a step of its own that works in batches, can continue where it stopped and slows ' +
    'down when the server is busy: declare it in a file `NNNN_name.backfill.yaml` (`verdigris backfill`).',
  bad: 'ALTER TABLE t ADD COLUMN n integer;\nUPDATE t SET n = a WHERE n IS NULL;',
  good: 'ALTER TABLE t ADD COLUMN n integer;\nUPDATE t SET n = 1 WHERE id = 7;',
  remedy: false,
  check: {
    UpdateStmt: (node, context) =>
      limited(node.whereClause) || !withSchemaChange(context) ? undefined : filling(node.relation, context),
    MergeStmt: (node, context) => (withSchemaChange(context) ? filling(node.relation, context) : undefined),
    InsertStmt: (node, context) => {
      const select = as(node.selectStmt, 'SelectStmt');
      if (
        !select?.fromClause ||
        limited(select.whereClause) ||
        !withSchemaChange(context) ||
        context.isNew(node.relation)
      )
        return undefined;
      return filling(node.relation, context);
    },
  },
};

function filling(relation: Of<'UpdateStmt'>['relation'], context: LintContext) {
  if (context.isNew(relation)) return undefined;
  const table = context.name(relation);
  return {
    message: `Rows of ${table.name} are written in the same migration that changes the schema.`,
    table,
    fix: `-- in NNNN_name.backfill.yaml, beside the migration:\n-- table: ${plainTable(table)}\n-- set: …\n-- where: …`,
  };
}

/** No condition, or one that is true whatever the row holds: `WHERE true`, `WHERE 1 = 1`. */
function everyRow(where: Of<'UpdateStmt'>['whereClause']): boolean {
  if (!where) return true;
  if (as(where, 'A_Const')?.boolval?.boolval === true) return true;
  const compared = as(where, 'A_Expr');
  if (compared?.kind === 'AEXPR_OP' && all(compared.name, 'String')[0]?.sval === '=') {
    const [left, right] = [as(compared.lexpr, 'A_Const'), as(compared.rexpr, 'A_Const')];
    return left !== undefined && right !== undefined && meaning(left) === meaning(right);
  }
  const joined = as(where, 'BoolExpr');
  if (joined?.boolop === 'OR_EXPR') return (joined.args ?? []).some(everyRow);
  return joined?.boolop === 'AND_EXPR' && (joined.args ?? []).every(everyRow);
}

/** A key equals a value: few rows. */
function limited(where: Of<'UpdateStmt'>['whereClause']): boolean {
  const expression = as(where, 'A_Expr');
  if (expression)
    return (
      (expression.kind === 'AEXPR_IN' || JSON.stringify(expression.name).includes('"="')) &&
      as(expression.rexpr, 'ColumnRef') === undefined
    );
  const both = as(where, 'BoolExpr');
  return both?.boolop === 'AND_EXPR' && (both.args ?? []).some(limited);
}

const schemaChanges = new Set([
  'AlterTableStmt',
  'CreateStmt',
  'IndexStmt',
  'DropStmt',
  'RenameStmt',
  'CreateTrigStmt',
  'ViewStmt',
  'AlterEnumStmt',
  'CreateTableAsStmt',
]);

function withSchemaChange(context: LintContext): boolean {
  return context.statements.some((one) => {
    if (!schemaChanges.has(one.tag)) return false;
    const relation = (one.fields as { relation?: Of<'RangeVar'> }).relation;
    return relation?.relpersistence !== 't';
  });
}

export const deleteRows: LintRule = {
  id: 'data-not-reversible',
  title: 'Rows are deleted',
  severity: 'info',
  category: 'reversibility',
  where: 'both',
  why: 'A down migration cannot bring the rows back. On a candidate only the candidate loses them: the two databases differ, and verification will say so.',
  instead:
    'Copy the rows to a table of their own first, or delete them on the live database, in a job, so that replication carries it.',
  bad: 'DELETE FROM t WHERE a = 1;',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY);\nDELETE FROM fresh WHERE id = 1;',
  remedy: false,
  check: {
    DeleteStmt: (node, context) =>
      node.whereClause && !context.isNew(node.relation)
        ? {
            message: `Rows of ${node.relation?.relname ?? ''} are gone after this.`,
            table: context.name(node.relation),
          }
        : undefined,
    MergeStmt: (node, context) =>
      all(node.mergeWhenClauses, 'MergeWhenClause').some(({ commandType }) => commandType === 'CMD_DELETE') &&
      !context.isNew(node.relation)
        ? {
            message: `Rows of ${node.relation?.relname ?? ''} may be gone after this.`,
            table: context.name(node.relation),
          }
        : undefined,
  },
};

export const dataRules: readonly LintRule[] = [truncate, deleteAll, updateAll, backfillRule, deleteRows];
