import { all, as, type Of, type Tag } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { IndexFact } from '../index-facts.ts';
import { columnsKey, indexKey, isRefusedBy, type UniqueKey } from '../../shapes/unique-key.ts';
import type { LintRule } from '../rule.ts';
import { dropped, sameName } from './dropped.ts';
import { columnObject, constraintColumns } from './help.ts';

export const dropUniqueIndex: LintRule = {
  id: 'drop-unique-index',
  title: 'A unique index is dropped',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'The retained database still has it. A second row with the same value, which the new release may write, stops ' +
    'reverse replication there, so that a rollback would lose rows. INSERT … ON CONFLICT of the live release fails ' +
    'without it on the candidate: ON CONFLICT needs a unique index over exactly its columns.',
  instead:
    'Drop it in one release and use the freedom in the next: then no database that can take part in a rollback has ' +
    'it, and no software names its columns in ON CONFLICT.',
  bad: 'DROP INDEX CONCURRENTLY tagged_tag;',
  good: 'DROP INDEX CONCURRENTLY t_b_idx;',
  remedy: false,
  check: {
    DropStmt: (node, context) =>
      dropped(node, context, 'OBJECT_INDEX').flatMap((name) => {
        const fact = context.schema.indexes.get(name);
        if (!fact || !matters(fact, context) || isKept(fact, context) || comesBack(fact, context)) return [];
        return [
          {
            message: `${name.name} keeps no two rows of ${fact.table.name} apart any more; on the retained database it does.`,
            table: fact.table,
            object: columnObject(fact.table, name.name),
          },
        ];
      }),
  },
};

/** It was there before the release, and on a table that software writes and that stays. */
function matters({ unique, batch, table }: IndexFact, { schema }: LintContext): boolean {
  const known = schema.table(table);
  if (!unique || batch === schema.batch || known?.batch === schema.batch) return false;
  return known?.kind === undefined || known.kind === 'table' || known.kind === 'partitioned';
}

/** Each two rows that it refuses are refused by another key of the table. */
function isKept(fact: IndexFact, { schema }: LintContext): boolean {
  const others = [...schema.indexes.of(fact.table)].filter((one) => one !== fact && one.unique).map(({ key }) => key);
  const constraints = [...(schema.table(fact.table)?.constraints.values() ?? [])]
    .filter(({ kind, columns }) => (kind === 'unique' || kind === 'primary') && columns.length > 0)
    .map(({ columns }) => columnsKey(columns));
  return [...others, ...constraints].some((key) => isRefusedBy(fact.key, key));
}

/** The same, by what the file adds after it. */
function comesBack({ table, key }: IndexFact, context: LintContext): boolean {
  return context.after.some(({ tag, fields }) => {
    const node = fields as Of<'IndexStmt'> & Of<'AlterTableStmt'>;
    const keys = tag === 'IndexStmt' ? (node.unique === true ? [indexKey(node)] : []) : addedKeys(tag, node);
    return keys.some((added) => isRefusedBy(key, added)) && sameName(context.name(node.relation), table);
  });
}

function addedKeys(tag: Tag, node: Of<'AlterTableStmt'>): UniqueKey[] {
  if (tag !== 'AlterTableStmt') return [];
  return all(node.cmds, 'AlterTableCmd').flatMap(({ def }) => {
    const added = as(def, 'Constraint');
    const unique = added?.contype === 'CONSTR_UNIQUE' || added?.contype === 'CONSTR_PRIMARY';
    return unique ? [columnsKey(constraintColumns(added), added.nulls_not_distinct === true)] : [];
  });
}
