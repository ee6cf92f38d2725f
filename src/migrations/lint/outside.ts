import { all, as, option, type Of } from './ast.ts';
import type { Statement } from './statement.ts';

/** PostgreSQL refuses the statement inside a transaction block (SQLSTATE 25001). */
export function outsideTransaction(statement: Statement): boolean {
  const { fields, tag } = statement;
  if (tag === 'IndexStmt' || tag === 'DropStmt') return (fields as Of<'IndexStmt'>).concurrent === true;
  if (tag === 'ReindexStmt') {
    const node = fields as Of<'ReindexStmt'>;
    return (
      reindexesConcurrently(node) || (node.kind !== 'REINDEX_OBJECT_INDEX' && node.kind !== 'REINDEX_OBJECT_TABLE')
    );
  }
  if (tag === 'AlterTableStmt') {
    return all((fields as Of<'AlterTableStmt'>).cmds, 'AlterTableCmd').some(
      (command) => as(command.def, 'PartitionCmd')?.concurrent === true,
    );
  }
  if (tag === 'VacuumStmt') return (fields as Of<'VacuumStmt'>).is_vacuumcmd === true;
  if (tag === 'ClusterStmt') return (fields as Of<'ClusterStmt'>).relation === undefined;
  return (
    tag === 'CreatedbStmt' ||
    tag === 'DropdbStmt' ||
    tag === 'CreateTableSpaceStmt' ||
    tag === 'DropTableSpaceStmt' ||
    tag === 'AlterSystemStmt'
  );
}

export function reindexesConcurrently(node: Of<'ReindexStmt'>): boolean {
  return option(node.params, 'concurrently') !== undefined;
}
