import { nameLabel, strings, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';
import { plainIdent, plainTable } from '../names.ts';
import { dropFunction, dropType } from './drop-code.ts';
import { dropView, viewColumnRemoved } from './drop-views.ts';
import { dropped, type DropType } from './dropped.ts';
import { columnObject } from './help.ts';

export const dropTable: LintRule = {
  id: 'drop-table',
  title: 'A table is dropped',
  severity: 'error',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'The live release reads and writes it until the switchover, and again after a rollback. On a candidate, ' +
    'replication stops at the first row that the live release writes to it; after the switchover nothing of it comes back ' +
    'to the retained database.',
  instead:
    'The new release stops using the table; drop it in the release after, with a note that says so: `migrate` ' +
    'refuses it while a release that uses it can be live (docs/expand-contract.md).',
  bad: 'DROP TABLE lone;',
  good: 'CREATE TABLE lone_2 (id bigint PRIMARY KEY);\nDROP TABLE lone_2;',
  remedy: false,
  check: {
    *DropStmt(node, context) {
      for (const table of dropped(node, context, 'OBJECT_TABLE', 'OBJECT_FOREIGN_TABLE')) {
        yield {
          message: `${table.name} and its rows are gone; the live release and its replication fail on it.`,
          table,
          object: nameLabel(table),
        } satisfies Draft;
      }
    },
  },
};

export const dropColumn: LintRule = {
  id: 'drop-column',
  title: 'A column is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Statements of the live release that name the column fail. What the live release writes into it on the live database cannot ' +
    'be carried to the candidate, and rows of the new release come back without it: where it is NOT NULL without a ' +
    'default, reverse replication stops.',
  instead:
    'The new release stops using the column (make it nullable or give it a default then); drop it in the release ' +
    'after, with a note that says so: `migrate` refuses it earlier. Where `verdigris expand-contract` put ' +
    'another in its place, `verdigris expand-contract contract` writes the migration.',
  bad: 'ALTER TABLE t DROP COLUMN flag;',
  good: 'ALTER TABLE t ADD COLUMN n integer;\nALTER TABLE t DROP COLUMN n;',
  check: {
    AlterTableCmd: (command, context) => {
      const column = command.name ?? '';
      if (command.subtype !== 'AT_DropColumn' || context.schema.isNewColumn(context.table, column)) return undefined;
      const known = context.schema.column(context.table, column);
      // IF EXISTS, of one that the table is known not to have.
      if (!known && command.missing_ok === true && context.schema.table(context.table)?.complete) return undefined;
      const stops = known?.notNull === true && !known.hasDefault;
      const fix = stops
        ? {
            fix:
              `-- in this release, so that rows without it are taken:\n` +
              `ALTER TABLE ${plainTable(context.table)} ALTER COLUMN ${plainIdent(column)} DROP NOT NULL;\n` +
              `-- in a later release:\n${context.statement.text};`,
          }
        : {};
      const rest = stops ? '; it is NOT NULL without a default, so no row of the new release can go back' : '';
      return {
        message: `The live release still names ${context.table.name}.${column}${rest}.`,
        range: context.command,
        table: context.table,
        object: columnObject(context.table, column),
        ...fix,
      };
    },
  },
};

/** What software names in its statements, so that `migrate` refuses its loss; the others work unnamed. */
const called: readonly DropType[] = [
  'OBJECT_SEQUENCE',
  'OBJECT_OPERATOR',
  'OBJECT_CAST',
  'OBJECT_COLLATION',
  'OBJECT_EXTENSION',
];

const rest: Partial<Record<DropType, string>> = {
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_RULE: 'rule',
  OBJECT_POLICY: 'policy',
  OBJECT_OPERATOR: 'operator',
  OBJECT_CAST: 'cast',
  OBJECT_COLLATION: 'collation',
  OBJECT_EXTENSION: 'extension',
  OBJECT_FOREIGN_SERVER: 'server',
  OBJECT_EVENT_TRIGGER: 'event trigger',
  OBJECT_TSCONFIGURATION: 'text search configuration',
  OBJECT_TSDICTIONARY: 'text search dictionary',
};

export const dropObject: LintRule = {
  id: 'drop-object',
  title: 'Something the live release may rely on is dropped',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why: "A sequence, trigger, rule, policy, operator or extension works without being named in the software's statements; its loss is seen late.",
  instead:
    'Drop it in the release after the one whose software no longer needs it; replace triggers with CREATE OR REPLACE TRIGGER.',
  bad: 'DROP TRIGGER t_touch ON t;',
  good: 'DROP TRIGGER t_touch ON t;\nCREATE TRIGGER t_touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();',
  check: {
    DropStmt: (node, context) => {
      const kind = rest[node.removeType ?? 'OBJECT_TABLE'];
      if (kind === undefined || retriggered(node, context)) return undefined;
      const names = (node.objects ?? []).map((object) => strings(object).at(-1) ?? '');
      const byName = called.includes(node.removeType ?? 'OBJECT_TABLE');
      return {
        message: `The ${kind} ${names.join(', ')} is gone for the live release too.`,
        ...(byName ? { severity: 'error' as const } : { verdict: 'harmless' as const }),
        ...(node.removeType === 'OBJECT_SEQUENCE' ? { object: nameLabel(context.nameOf(node.objects?.[0])) } : {}),
      };
    },
  },
};

/** Dropped to be made again in the same file. */
function retriggered(node: Of<'DropStmt'>, context: LintContext): boolean {
  const names = (node.objects ?? []).map((object) => strings(object).at(-1));
  return context.after.some((later) => {
    const fields = later.fields as { trigname?: string; policy_name?: string; rulename?: string };
    return (
      ['CreateTrigStmt', 'CreatePolicyStmt', 'RuleStmt'].includes(later.tag) &&
      names.includes(fields.trigname ?? fields.policy_name ?? fields.rulename)
    );
  });
}

export const dropSchema: LintRule = {
  id: 'drop-schema',
  title: 'A schema is dropped',
  severity: 'error',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  why: 'Everything in it goes with it, and the live release and its replication fail on all of it.',
  instead: 'Drop its objects one by one, in the release after the last one that uses them.',
  bad: 'DROP SCHEMA old CASCADE;',
  good: 'CREATE SCHEMA fresh;',
  remedy: false,
  check: {
    DropStmt: ({ removeType, objects = [] }) => {
      if (removeType !== 'OBJECT_SCHEMA') return undefined;
      const names = objects.flatMap((object) => strings(object).slice(-1));
      return names.map((name) => ({ message: `Schema ${name} goes with all that is in it.`, object: name }));
    },
  },
};

export const cascade: LintRule = {
  id: 'drop-cascade',
  title: 'CASCADE drops what the statement does not name',
  severity: 'warning',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  why:
    'What depends on the object, such as views, foreign keys, columns and functions, is dropped without being ' +
    'listed, and differs from database to database.',
  instead: 'Name what is to be dropped; RESTRICT, the default, reports what depends on it.',
  bad: 'DROP VIEW v CASCADE;',
  good: 'DROP VIEW v RESTRICT;',
  check: {
    DropStmt: (node) =>
      node.behavior === 'DROP_CASCADE' && node.removeType !== 'OBJECT_SCHEMA'
        ? { message: 'Whatever depends on it is dropped too, unnamed.' }
        : undefined,
    AlterTableCmd: (command, context) =>
      command.behavior === 'DROP_CASCADE'
        ? {
            message: `Whatever depends on ${command.name ?? ''} is dropped too, unnamed.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
    DropOwnedStmt: () => ({ message: 'DROP OWNED drops every object of the role in this database, unnamed.' }),
  },
};

export const dropRules: readonly LintRule[] = [
  dropTable,
  dropColumn,
  dropView,
  viewColumnRemoved,
  dropFunction,
  dropType,
  dropObject,
  dropSchema,
  cascade,
];
