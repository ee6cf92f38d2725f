import { all, as, nameLabel, type Of } from './ast.ts';
import type { LintContext } from './context.ts';
import { constraintName } from './learn-table.ts';
import { strongLocks } from './statement-locks.ts';
import { constraintColumns } from './rules/help.ts';

/** Takes into the transaction what the statement at hand did to it. Called before the schema learns the statement. */
export function track(context: LintContext): void {
  const { transaction, statement } = context;
  if (statement.tag === 'TransactionStmt') {
    const { kind } = statement.fields as Of<'TransactionStmt'>;
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') transaction.begin();
    else if (kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_ROLLBACK' || kind === 'TRANS_STMT_PREPARE')
      transaction.end();
  }
  if (!transaction.open) return;
  for (const lock of strongLocks(context))
    if (lock.mode === 'ACCESS EXCLUSIVE') transaction.exclusive.add(nameLabel(lock.table));
  if (statement.tag === 'AlterTableStmt') notValid(statement.fields as Of<'AlterTableStmt'>, context);
  if (statement.tag === 'AlterEnumStmt') {
    const node = statement.fields as Of<'AlterEnumStmt'>;
    const type = nameLabel(context.nameOf(node.typeName));
    const made = context.schema.types.get(type)?.batch === context.schema.batch;
    if (!made && node.oldVal === undefined && node.newVal !== undefined) transaction.enumValues.set(node.newVal, type);
  }
}

function notValid(node: Of<'AlterTableStmt'>, context: LintContext): void {
  const table = context.name(node.relation);
  for (const command of all(node.cmds, 'AlterTableCmd')) {
    const constraint = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
    if (constraint?.skip_validation !== true) continue;
    const kind =
      constraint.contype === 'CONSTR_FOREIGN'
        ? 'foreign'
        : constraint.contype === 'CONSTR_NOTNULL'
          ? 'not-null'
          : 'check';
    context.transaction.notValid.add(
      `${nameLabel(table)}.${constraint.conname ?? constraintName(table.name, kind, constraintColumns(constraint))}`,
    );
  }
}
