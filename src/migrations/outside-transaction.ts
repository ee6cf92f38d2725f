import type { Node } from 'libpg-query';
import { all, as, fieldsOf, option, tagOf, type Of } from './lint/ast.ts';

const always = new Set([
  'CreatedbStmt',
  'DropdbStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
  'AlterSystemStmt',
  // With a slot on the other side, which the statement does not show.
  'CreateSubscriptionStmt',
  'DropSubscriptionStmt',
]);

/**
 * PostgreSQL refuses the statement inside a transaction block (SQLSTATE 25001). The linter and the runner both ask
 * this. What the statement does not show is not known: REINDEX TABLE and CLUSTER of a partitioned table are taken for
 * those of a plain one.
 */
export function outsideTransaction(node: Node): boolean {
  const [tag, fields] = [tagOf(node), fieldsOf(node)];
  switch (tag) {
    case 'IndexStmt':
      return (fields as Of<'IndexStmt'>).concurrent === true;
    case 'DropStmt':
      return (fields as Of<'DropStmt'>).concurrent === true;
    case 'ReindexStmt':
      return reindexesOutside(fields as Of<'ReindexStmt'>);
    case 'AlterTableStmt':
      return all((fields as Of<'AlterTableStmt'>).cmds, 'AlterTableCmd').some(
        (command) => as(command.def, 'PartitionCmd')?.concurrent === true,
      );
    case 'VacuumStmt':
      return (fields as Of<'VacuumStmt'>).is_vacuumcmd === true;
    case 'DiscardStmt':
      return (fields as Of<'DiscardStmt'>).target === 'DISCARD_ALL';
    case 'ClusterStmt':
      return (fields as Of<'ClusterStmt'>).relation === undefined;
    case 'AlterDatabaseStmt':
      return option((fields as Of<'AlterDatabaseStmt'>).options, 'tablespace') !== undefined;
    default:
      return always.has(tag);
  }
}

/** CURSOR_OPT_HOLD of nodes/parsenodes.h: the cursor outlives its transaction. */
const hold = 0x20;

/** PostgreSQL takes the statement only inside a transaction block (SQLSTATE 25P01). */
export function insideTransaction(node: Node): boolean {
  const cursor = as(node, 'DeclareCursorStmt');
  return (
    isSavepoint(node) || as(node, 'LockStmt') !== undefined || (cursor !== undefined && !((cursor.options ?? 0) & hold))
  );
}

const savepoints = ['TRANS_STMT_SAVEPOINT', 'TRANS_STMT_RELEASE', 'TRANS_STMT_ROLLBACK_TO'];

/** A part of a transaction, which stays inside of it. */
export function isSavepoint(node: Node): boolean {
  return savepoints.includes(String(as(node, 'TransactionStmt')?.kind));
}

function reindexesOutside(node: Of<'ReindexStmt'>): boolean {
  return reindexesConcurrently(node) || (node.kind !== 'REINDEX_OBJECT_INDEX' && node.kind !== 'REINDEX_OBJECT_TABLE');
}

export function reindexesConcurrently(node: Of<'ReindexStmt'>): boolean {
  const given = option(node.params, 'concurrently');
  return given !== undefined && !isOff(given.arg);
}

/** As PostgreSQL reads an option's boolean; one without a value is on. */
function isOff(value: Node | undefined): boolean {
  const text = as(value, 'String')?.sval ?? as(value, 'Boolean')?.boolval;
  if (as(value, 'Integer')) return (as(value, 'Integer')?.ival ?? 0) === 0;
  return text === false || /^(false|off)$/i.test(String(text));
}
