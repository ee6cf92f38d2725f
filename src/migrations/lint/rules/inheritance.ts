import { all, as, nameLabel, type Name } from '../ast.ts';
import type { AlterContext } from '../context.ts';
import { plainTable } from '../names.ts';
import type { LintRule } from '../rule.ts';
import { laterCommands } from './help.ts';

export const changeInheritance: LintRule = {
  id: 'change-inheritance',
  title: 'A table leaves or joins its parent',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    "A query of the parent reads its children too: the live release no longer sees the child's rows, or sees rows " +
    'that it does not expect. Nothing fails, so it is found late.',
  instead: 'Change it in the release after the last one whose software reads these rows through the parent.',
  bad: 'ALTER TABLE child NO INHERIT elder;',
  good: 'CREATE TABLE child_2 () INHERITS (elder);',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      if (command.subtype !== 'AT_DropInherit' && command.subtype !== 'AT_AddInherit') return undefined;
      const leaves = command.subtype === 'AT_DropInherit';
      const parent = as(command.def, 'RangeVar')?.relname ?? '';
      return {
        message: leaves
          ? `The live release no longer finds the rows of ${context.table.name} in ${parent}.`
          : `The live release finds the rows of ${context.table.name} in ${parent} from now on.`,
        range: context.command,
        table: context.table,
        object: nameLabel(context.table),
        ...(leaves ? {} : { severity: 'warning' as const }),
      };
    },
  },
};

export const createPartition: LintRule = {
  id: 'create-partition-blocking',
  title: 'CREATE TABLE … PARTITION OF locks the whole partitioned table',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  why:
    'It takes ACCESS EXCLUSIVE on the partitioned table, and reads the default partition, where there is ' +
    'one, to prove that no row of it belongs into the new one. ATTACH PARTITION takes SHARE UPDATE ' +
    'EXCLUSIVE, which lets reads and writes go on.',
  instead:
    'Make the table by itself, then ATTACH it, which takes a moment because it is empty. Where there is a ' +
    'default partition, give that a validated CHECK first that keeps the new bounds out.',
  bad: "CREATE TABLE m_2027 PARTITION OF m FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
  good: "CREATE TABLE m_2027 (LIKE m INCLUDING ALL);\nALTER TABLE m ATTACH PARTITION m_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
  check: {
    CreateStmt: (node, context) => {
      const parent = node.partbound ? all(node.inhRelations, 'RangeVar')[0] : undefined;
      if (!node.partbound || !parent || context.isNew(parent)) return undefined;
      const table = context.name(parent);
      const made = plainTable(context.name(node.relation));
      const bounds = /\b(?:FOR\s+VALUES\b[^]*?|DEFAULT)(?=\s+(?:PARTITION\s+BY|USING|WITH|TABLESPACE)\b|$)/i.exec(
        context.statement.text.replace(/^[^]*?\bPARTITION\s+OF\s+\S+/i, ''),
      )?.[0];
      const simple = !node.partspec && !node.tableElts && bounds !== undefined;
      return {
        message: `Queries of all of ${table.name} wait, and its default partition, where it has one, is read.`,
        table,
        ...(simple
          ? {
              fix: `CREATE TABLE ${made} (LIKE ${plainTable(table)} INCLUDING ALL);\nALTER TABLE ${plainTable(table)} ATTACH PARTITION ${made} ${bounds};`,
            }
          : {}),
      };
    },
  },
};

export const newPartition: LintRule = {
  id: 'new-partition',
  title: 'A partitioned table takes more rows than before',
  severity: 'info',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'The retained database has no partition for these rows: the first one that the new release writes stops reverse ' +
    'replication, unless a default partition takes it there.',
  instead:
    'Make the partition a release before it is needed: then no database that can take part in a rollback lacks it.',
  bad:
    'CREATE TABLE m_2027 (LIKE m INCLUDING ALL);\n' +
    "ALTER TABLE m ATTACH PARTITION m_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
  good: 'CREATE TABLE m_2027 (LIKE m INCLUDING ALL);',
  remedy: false,
  check: {
    CreateStmt: (node, context) => {
      const parent = node.partbound ? all(node.inhRelations, 'RangeVar')[0] : undefined;
      return parent && !context.isNew(parent) ? { message: moreRows(context.name(parent)) } : undefined;
    },
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_AttachPartition'
        ? { message: moreRows(context.table), range: context.command, table: context.table, lock: 'none' as const }
        : undefined,
  },
};

function moreRows({ name }: Name): string {
  return (
    `Rows of ${name} that no partition took before stop reverse replication: ` +
    'the retained database has no place for them.'
  );
}

export const detachPartition: LintRule = {
  id: 'detach-partition',
  title: 'A partition is detached',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why:
    'The live release no longer finds the rows of the partition through its table, and rows that belong there are refused; ' +
    'on a candidate they arrive by replication and stop it.',
  instead: 'Detach it in the release after the last one whose software reads or writes these rows.',
  bad: 'ALTER TABLE m DETACH PARTITION m_2025 CONCURRENTLY;',
  good: "ALTER TABLE m_2025 ADD CONSTRAINT old CHECK (at < '2026-01-01') NOT VALID;",
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const part = command.subtype === 'AT_DetachPartition' ? as(command.def, 'PartitionCmd') : undefined;
      if (!part || context.isNew(part.name) || attachedLater(context)) return undefined;
      const name = context.name(part.name);
      return {
        message: `The live release no longer finds the rows of ${name.name} in ${context.table.name}, and cannot write them.`,
        range: context.command,
        table: context.table,
        lock: 'none' as const,
        object: nameLabel(name),
      };
    },
  },
};

/** What takes its rows instead, if all of them, the gate of `migrate` sees. */
function attachedLater(context: AlterContext): boolean {
  return laterCommands(context).some(({ subtype }) => subtype === 'AT_AttachPartition');
}

export const inheritanceRules: readonly LintRule[] = [
  changeInheritance,
  createPartition,
  newPartition,
  detachPartition,
];
