import { meaning } from '../ast.ts';
import type { LintRule } from '../rule.ts';
import { columnObject, laterCommands } from './help.ts';
import { fills } from './not-null.ts';

export const dropDefault: LintRule = {
  id: 'drop-default',
  title: 'A default is dropped',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why:
    'The live release may leave the column out and rely on the default: it gets nulls, or an error where the ' +
    'column is NOT NULL. Rows that arrive by replication have their value already.',
  instead: 'Drop the default in the release after the one whose software writes the column itself.',
  bad: 'ALTER TABLE t ALTER COLUMN flag DROP DEFAULT;',
  good: 'ALTER TABLE t ALTER COLUMN flag SET DEFAULT true;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const column = command.name ?? '';
      const identity = command.subtype === 'AT_DropIdentity';
      if (!(identity || (command.subtype === 'AT_ColumnDefault' && command.def === undefined))) return undefined;
      const known = context.schema.column(context.table, column);
      if (known?.hasDefault === false || context.schema.isNewColumn(context.table, column)) return undefined;
      const beside = [...context.commands, ...laterCommands(context)];
      if (beside.some((one) => fills(one, column))) return undefined;
      const loosened = beside.some((one) => one.subtype === 'AT_DropNotNull' && one.name === column);
      const required = (known?.notNull === true || identity) && !loosened;
      const consequence = required ? 'its INSERT fails' : 'it gets null';
      return {
        message: `Where the live release leaves ${context.table.name}.${column} out, ${consequence} from now on.`,
        range: context.command,
        table: context.table,
        object: columnObject(context.table, column),
        ...(required ? { severity: 'error' as const } : {}),
        ...(required || known === undefined ? {} : { verdict: 'harmless' as const }),
      };
    },
  },
};

export const changeDefault: LintRule = {
  id: 'change-default',
  title: 'A default is changed',
  severity: 'info',
  category: 'compatibility',
  where: 'both',
  why: 'When the live release leaves the column out it gets another value than before. Existing rows keep theirs.',
  instead: "Let the new software write the value itself; change the default once today's live release is retired.",
  bad: 'ALTER TABLE t ALTER COLUMN flag SET DEFAULT true;',
  good: "ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x';",
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const known = context.schema.column(context.table, command.name ?? '');
      if (
        command.subtype !== 'AT_ColumnDefault' ||
        command.def === undefined ||
        known?.hasDefault !== true ||
        known.batch === context.schema.batch ||
        known.defaultSays === meaning(command.def)
      )
        return undefined;
      return {
        message: `The live release relied on another default of ${context.table.name}.${command.name ?? ''}.`,
        range: context.command,
        table: context.table,
      };
    },
  },
};

export const defaultRules: readonly LintRule[] = [dropDefault, changeDefault];
