import { as } from '../ast.ts';
import type { LintRule } from '../rule.ts';

export const attach: LintRule = {
  id: 'attach-partition-scan',
  title: 'ATTACH PARTITION reads the table under lock',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why:
    'Every row of the table that is attached is read to prove that it belongs there, under ACCESS EXCLUSIVE ' +
    'on that table; a default partition is read as well.',
  instead:
    "Add a CHECK with the partition's bounds NOT VALID, VALIDATE it, then ATTACH (a moment), then drop the check.",
  bad: "ALTER TABLE m ATTACH PARTITION m_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
  good:
    "-- verdigris: no-transaction\nALTER TABLE m_2026 ADD CONSTRAINT m_2026_bounds CHECK (at >= '2026-01-01' " +
    "AND at < '2027-01-01') NOT VALID;\n" +
    'ALTER TABLE m_2026 VALIDATE CONSTRAINT m_2026_bounds;\n' +
    "ALTER TABLE m ATTACH PARTITION m_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
  check: {
    AlterTableCmd: (command, context) => {
      const part = command.subtype === 'AT_AttachPartition' ? as(command.def, 'PartitionCmd') : undefined;
      const table = part && context.name(part.name);
      if (!table || context.schema.isNew(table)) return undefined;
      const proven = [...(context.schema.table(table)?.constraints.values() ?? [])].some(
        (one) => one.kind === 'check' && one.valid,
      );
      return proven
        ? undefined
        : { message: `All rows of ${table.name} are read to prove the bounds.`, range: context.command, table };
    },
  },
};

export const detach: LintRule = {
  id: 'detach-partition-blocking',
  title: 'DETACH PARTITION without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  why: 'It takes ACCESS EXCLUSIVE on the partitioned table: queries on all partitions wait, behind the longest one at work.',
  instead: 'DETACH PARTITION … CONCURRENTLY, outside a transaction (not where there is a default partition).',
  bad: 'ALTER TABLE m DETACH PARTITION m_2025;',
  good: 'ALTER TABLE m DETACH PARTITION m_2025 CONCURRENTLY;',
  check: {
    AlterTableCmd: (command, context) => {
      const part = command.subtype === 'AT_DetachPartition' ? as(command.def, 'PartitionCmd') : undefined;
      if (!part || part.concurrent === true) return undefined;
      return {
        message: `All of ${context.table.name} is locked.`,
        range: context.command,
        table: context.table,
        fix: `${context.statement.text} CONCURRENTLY;`,
      };
    },
  },
};

export const partitionRules: readonly LintRule[] = [attach, detach];
