import type { Node } from 'libpg-query';
import { all, as, type Tag } from '../lint/ast.ts';

/** Of what they bring no text says. */
export const bringsMore: ReadonlySet<Tag> = new Set<Tag>([
  'CreateExtensionStmt',
  'AlterExtensionStmt',
  'ImportForeignSchemaStmt',
]);

/** No event trigger fires for these. */
export const firesNothing: ReadonlySet<Tag> = new Set<Tag>([
  ...(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt', 'TruncateStmt'] as const),
  ...(['CallStmt', 'DoStmt', 'PrepareStmt', 'ExecuteStmt', 'DeallocateStmt', 'ExplainStmt', 'LockStmt'] as const),
  ...(['VariableSetStmt', 'VariableShowStmt', 'TransactionStmt', 'ConstraintsSetStmt', 'VacuumStmt'] as const),
]);

/** Statements that make indexes, sequences and constraints beside what they name. */
export const makesImplied: ReadonlySet<Tag> = new Set<Tag>(['CreateStmt', 'AlterTableStmt', 'IndexStmt']);

/** ChooseIndexName, ChooseConstraintName and ChooseRelationName of PostgreSQL's sources. */
const ending = /_(?:pkey|key|idx|excl|seq|fkey|check|not_null)\d*$/;

/** Bytes near which PostgreSQL cuts the names that it puts together (NAMEDATALEN). */
const nearlyCut = 58;

/** Whether PostgreSQL may have made a name out of one of these words, all in lower case. */
export function isImplied(name: string, words: ReadonlySet<string>): boolean {
  if (!ending.test(name)) return false;
  return Buffer.byteLength(name) >= nearlyCut || [...words].some((word) => name.startsWith(`${word}_`));
}

/** What else went along no text says. */
export function cascades(node: Node): boolean {
  if (as(node, 'DropOwnedStmt') || as(node, 'DropStmt')?.behavior === 'DROP_CASCADE') return true;
  return all(as(node, 'AlterTableStmt')?.cmds, 'AlterTableCmd').some(({ behavior }) => behavior === 'DROP_CASCADE');
}

/** Something went, or went elsewhere, with what hung on it: names of both are free again. */
export function removes(node: Node): boolean {
  if (as(node, 'DropStmt') || as(node, 'DropOwnedStmt') || as(node, 'AlterObjectSchemaStmt')) return true;
  return all(as(node, 'AlterTableStmt')?.cmds, 'AlterTableCmd').some(({ subtype = '' }) =>
    subtype.startsWith('AT_Drop'),
  );
}
