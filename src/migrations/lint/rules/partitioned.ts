import { as, nameOfParts, strings } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';

/** The first major that takes a foreign key of a partitioned table as NOT VALID. */
const notValidSince = 18;

export const partitionedRefuses: LintRule = {
  id: 'partitioned-refuses',
  title: 'What PostgreSQL refuses on a partitioned table',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    'A partitioned table has no rows and no index of its own: PostgreSQL builds and drops no index of it ' +
    'CONCURRENTLY, makes no constraint of an index that is there, and before 18 takes no foreign key as NOT VALID.',
  instead:
    'Build the index CONCURRENTLY on each partition, make it ON ONLY the partitioned table, and ATTACH those of the ' +
    'partitions. Add a foreign key to each partition as NOT VALID and validate it, then to the partitioned table.',
  bad: 'CREATE INDEX CONCURRENTLY m_at_idx ON m (at);',
  good: 'CREATE INDEX m_at_idx ON ONLY m (at);',
  check: {
    IndexStmt: (node, context) =>
      node.concurrent === true && context.fact(node.relation)?.kind === 'partitioned'
        ? { message: `${context.name(node.relation).name} is partitioned: CREATE INDEX CONCURRENTLY fails.` }
        : undefined,
    DropStmt: (node, context) => {
      if (node.removeType !== 'OBJECT_INDEX' || node.concurrent !== true) return undefined;
      const found = (node.objects ?? []).find((object) => ofPartitioned(strings(object), context));
      return found
        ? { message: `${strings(found).at(-1)} is of a partitioned table: it cannot be dropped CONCURRENTLY.` }
        : undefined;
    },
    AlterTableCmd: (command, context): Draft | undefined => {
      const constraint = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
      if (!constraint || context.known?.kind !== 'partitioned') return undefined;
      const { name } = context.table;
      const place = { range: context.command, table: context.table };
      if (constraint.indexname !== undefined)
        return { ...place, message: `${name} is partitioned: no index of it becomes a constraint by USING INDEX.` };
      const early = constraint.contype === 'CONSTR_FOREIGN' && constraint.skip_validation === true;
      return early && context.config.postgres < notValidSince
        ? {
            ...place,
            message: `${name} is partitioned: before PostgreSQL ${notValidSince} its foreign keys cannot be NOT VALID.`,
          }
        : undefined;
    },
  },
};

function ofPartitioned(name: string[], context: LintContext): boolean {
  const index = context.schema.indexes.get(nameOfParts(name, context.schema.defaultSchema));
  return index !== undefined && context.schema.table(index.table)?.kind === 'partitioned';
}
