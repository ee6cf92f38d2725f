import { walk, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { LintRule } from '../rule.ts';

const largeObjectCalls = new Set([
  'lo_create',
  'lo_creat',
  'lo_import',
  'lo_from_bytea',
  'lo_put',
  'lowrite',
  'lo_unlink',
]);

export const largeObjectsRule: LintRule = {
  id: 'large-objects',
  title: 'Large objects are not replicated',
  severity: 'error',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why: 'Logical replication does not carry pg_largeobject. What is written on one side never gets to the other, and a switchover or rollback loses it.',
  instead: 'Use bytea columns, or an object store and its key.',
  bad: 'SELECT lo_create(0);',
  good: 'ALTER TABLE t ADD COLUMN picture bytea;',
  check: {
    SelectStmt: calls,
    InsertStmt: calls,
    UpdateStmt: calls,
  },
};

function calls(node: object, context: LintContext) {
  if (!/\blo(?:write|_\w+)\b/i.test(context.statement.text)) return undefined;
  for (const [tag, fields] of walk(node)) {
    if (tag !== 'FuncCall') continue;
    const name = context.nameOf(fields['funcname'] as Of<'FuncCall'>['funcname']).name;
    if (largeObjectCalls.has(name))
      return {
        message: `${name}() writes a large object.`,
        range: context.at(fields['location'] as number | undefined),
      };
  }
  return undefined;
}
