import type { RangeVar } from 'libpg-query';
import { all, as, strings, type Name, type Of } from './ast.ts';
import type { LintContext } from './context.ts';
import type { LockMode } from './locks.ts';

export interface TableLock {
  readonly table: Name;
  readonly mode: LockMode;
}

/** ALTER TABLE commands that take less than ACCESS EXCLUSIVE (AlterTableGetLockLevel of PostgreSQL's source). */
const weaker: Readonly<Record<string, LockMode>> = {
  AT_ValidateConstraint: 'SHARE UPDATE EXCLUSIVE',
  AT_SetStatistics: 'SHARE UPDATE EXCLUSIVE',
  AT_SetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ResetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ClusterOn: 'SHARE UPDATE EXCLUSIVE',
  AT_DropCluster: 'SHARE UPDATE EXCLUSIVE',
  AT_SetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ResetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_AttachPartition: 'SHARE UPDATE EXCLUSIVE',
  AT_EnableTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableAlwaysTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableReplicaTrig: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableTrigAll: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrigAll: 'SHARE ROW EXCLUSIVE',
  AT_EnableTrigUser: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrigUser: 'SHARE ROW EXCLUSIVE',
};

/**
 * Locks of SHARE UPDATE EXCLUSIVE and above on tables that were there before the batch, as far as the text names them.
 */
export function strongLocks(context: LintContext): TableLock[] {
  return candidates(context)
    .map(([relation, mode]) => ({ table: context.name(relation), mode }))
    .filter(({ table }) => !context.schema.isNew(table));
}

function candidates(context: LintContext): [RangeVar | undefined, LockMode][] {
  const { tag, fields } = context.statement;
  switch (tag) {
    case 'AlterTableStmt':
      return alterLocks(fields as Of<'AlterTableStmt'>);
    case 'IndexStmt': {
      const index = fields as Of<'IndexStmt'>;
      return [[index.relation, index.concurrent === true ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE']];
    }
    case 'CreateTrigStmt':
      return [[(fields as Of<'CreateTrigStmt'>).relation, 'SHARE ROW EXCLUSIVE']];
    case 'RuleStmt':
      return [[(fields as Of<'RuleStmt'>).relation, 'ACCESS EXCLUSIVE']];
    case 'CreatePolicyStmt':
      return [[(fields as Of<'CreatePolicyStmt'>).table, 'ACCESS EXCLUSIVE']];
    case 'RefreshMatViewStmt': {
      const refresh = fields as Of<'RefreshMatViewStmt'>;
      return [[refresh.relation, refresh.concurrent === true ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE']];
    }
    case 'ClusterStmt':
      return (fields as Of<'ClusterStmt'>).relation
        ? [[(fields as Of<'ClusterStmt'>).relation, 'ACCESS EXCLUSIVE']]
        : [];
    case 'TruncateStmt':
      return all((fields as Of<'TruncateStmt'>).relations, 'RangeVar').map((one) => [one, 'ACCESS EXCLUSIVE']);
    case 'RenameStmt': {
      const rename = fields as Of<'RenameStmt'>;
      return rename.relation && rename.renameType !== 'OBJECT_INDEX' ? [[rename.relation, 'ACCESS EXCLUSIVE']] : [];
    }
    case 'DropStmt':
      return dropLocks(fields as Of<'DropStmt'>);
    default:
      return [];
  }
}

function alterLocks(node: Of<'AlterTableStmt'>): [RangeVar | undefined, LockMode][] {
  if (node.objtype !== 'OBJECT_TABLE') return [];
  const commands = all(node.cmds, 'AlterTableCmd');
  const foreign = all(
    commands.flatMap((one) => one.def ?? []),
    'Constraint',
  ).filter((one) => one.contype === 'CONSTR_FOREIGN');
  const modes = commands.map((one): LockMode => {
    if (as(one.def, 'Constraint')?.contype === 'CONSTR_FOREIGN') return 'SHARE ROW EXCLUSIVE';
    if (as(one.def, 'PartitionCmd')?.concurrent === true) return 'SHARE UPDATE EXCLUSIVE';
    return weaker[one.subtype ?? ''] ?? 'ACCESS EXCLUSIVE';
  });
  const strongest = modes.includes('ACCESS EXCLUSIVE')
    ? 'ACCESS EXCLUSIVE'
    : modes.includes('SHARE ROW EXCLUSIVE')
      ? 'SHARE ROW EXCLUSIVE'
      : 'SHARE UPDATE EXCLUSIVE';
  return [
    [node.relation, strongest],
    ...foreign.map((one): [RangeVar | undefined, LockMode] => [one.pktable, 'SHARE ROW EXCLUSIVE']),
  ];
}

function dropLocks(node: Of<'DropStmt'>): [RangeVar | undefined, LockMode][] {
  if (node.removeType !== 'OBJECT_TABLE') return [];
  return (node.objects ?? []).map((object) => {
    const parts = strings(object);
    const schema = parts.at(-2);
    return [
      { relname: parts.at(-1) ?? '', ...(schema === undefined ? {} : { schemaname: schema }) },
      'ACCESS EXCLUSIVE',
    ];
  });
}
