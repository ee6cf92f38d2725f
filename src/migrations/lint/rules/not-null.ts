import { as, strings, type Of } from '../ast.ts';
import type { AlterContext } from '../context.ts';
import { constraintName } from '../learn-table.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';
import { columnType, serials } from '../column-type.ts';
import { addedColumn } from './add-column.ts';
import { columnObject, laterCommands } from './help.ts';

export const setNotNull: LintRule = {
  id: 'set-not-null-scan',
  title: 'SET NOT NULL reads the whole table under lock',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why:
    'PostgreSQL reads every row to prove that there is no null, and holds ACCESS EXCLUSIVE while it reads. A ' +
    'validated CHECK (column IS NOT NULL) is proof enough, and validating one blocks nobody.',
  instead:
    'Add the check NOT VALID, validate it, SET NOT NULL (a moment), drop the check. From PostgreSQL 18 a NOT NULL constraint itself can be NOT VALID.',
  bad: 'ALTER TABLE t ALTER COLUMN a SET NOT NULL;',
  good:
    '-- verdigris: no-transaction\nALTER TABLE t ADD CONSTRAINT a_set CHECK (a IS NOT NULL) NOT VALID;\n' +
    'ALTER TABLE t VALIDATE CONSTRAINT a_set;\n' +
    'ALTER TABLE t ALTER COLUMN a SET NOT NULL;\n' +
    'ALTER TABLE t DROP CONSTRAINT a_set;',
  check: {
    *AlterTableCmd(command, context) {
      const byIndex = as(command.def, 'Constraint')?.indexname !== undefined;
      // Without an index made before, add-primary-key says it.
      const implied = (byIndex ? impliedByKey(command, context) : []).filter(
        (key) => !context.schema.provenNotNull(context.table, key),
      );
      if (implied.length > 0)
        yield {
          message: `A primary key is a SET NOT NULL too: every row of ${context.table.name} is read to prove that ${implied.join(', ')} has no null.`,
          range: context.command,
          table: context.table,
        };
      const column = readColumn(command);
      if (column === undefined || context.schema.provenNotNull(context.table, column)) return;
      const [table, name] = [
        plainTable(context.table),
        plainIdent(constraintName(context.table.name, 'not-null', [column])),
      ];
      const fix =
        context.config.postgres >= 18
          ? `ALTER TABLE ${table} ADD CONSTRAINT ${name} NOT NULL ${plainIdent(column)} NOT VALID;\n` +
            `-- in a later migration:\nALTER TABLE ${table} VALIDATE CONSTRAINT ${name};`
          : `ALTER TABLE ${table} ADD CONSTRAINT ${name} CHECK (${plainIdent(column)} IS NOT NULL) NOT VALID;\n` +
            `-- in a later migration:\nALTER TABLE ${table} VALIDATE CONSTRAINT ${name};\n` +
            `ALTER TABLE ${table} ALTER COLUMN ${plainIdent(column)} SET NOT NULL;\nALTER TABLE ${table} DROP CONSTRAINT ${name};`;
      yield {
        message: `Every row of ${context.table.name} is read to prove that ${column} has no null.`,
        range: context.command,
        table: context.table,
        fix,
      };
    },
  },
};

export const tightenNotNull: LintRule = {
  id: 'new-not-null',
  title: 'A column that the live release may leave null',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why:
    'The live release is still live, and its INSERTs that leave the column out fail from now on. On a candidate ' +
    'the rows that the live release writes on the live database arrive with nulls, and forward replication stops.',
  instead:
    'Let the new release write the column always; make it NOT NULL in the release after, when the live release of today can no longer come ' +
    'back. Or give it a default first, where nulls are never written on purpose.',
  bad: 'ALTER TABLE t ALTER COLUMN a SET NOT NULL;',
  good: "ALTER TABLE t ALTER COLUMN b SET DEFAULT '';",
  remedy: false,
  check: {
    *AlterTableCmd(command, context) {
      const column = setColumn(command);
      for (const tightened of column === undefined ? impliedByKey(command, context) : [column]) {
        if (context.schema.isNewColumn(context.table, tightened)) continue;
        if (context.schema.column(context.table, tightened)?.notNull === true) continue;
        const former = context.schema.formerConstraints(context.table);
        // Validated or not, the live release's own statements have to pass it.
        if (former.some(({ provesNotNull }) => provesNotNull.includes(tightened))) continue;
        yield {
          message:
            `The live release may still write null into ${context.table.name}.${tightened}: its statements, and their ` +
            'replication to a candidate, fail from here on.',
          range: context.command,
          table: context.table,
          object: columnObject(context.table, tightened),
        };
      }
    },
  },
};

/** The NOT NULL constraint that the command adds to a column by name, as PostgreSQL 18 knows it. */
function addedNotNull(command: Of<'AlterTableCmd'>): Of<'Constraint'> | undefined {
  const constraint = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
  return constraint?.contype === 'CONSTR_NOTNULL' ? constraint : undefined;
}

/** The column that the command makes NOT NULL, by SET or as a constraint. */
function setColumn(command: Of<'AlterTableCmd'>): string | undefined {
  return command.subtype === 'AT_SetNotNull' ? command.name : strings(addedNotNull(command)?.keys)[0];
}

/** The same, where the rows that are there are read for it. */
function readColumn(command: Of<'AlterTableCmd'>): string | undefined {
  return addedNotNull(command)?.skip_validation === true ? undefined : setColumn(command);
}

/** Columns that a new primary key makes NOT NULL by the way. */
function impliedByKey(command: Of<'AlterTableCmd'>, context: AlterContext): readonly string[] {
  const constraint = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
  if (constraint?.contype !== 'CONSTR_PRIMARY') return [];
  const listed = strings(constraint.keys);
  if (listed.length > 0) return listed;
  return context.schema.indexes.get({ ...context.table, name: constraint.indexname ?? '' })?.columns ?? [];
}

export const requiredColumn: LintRule = {
  id: 'add-required-column',
  title: 'New NOT NULL column without a default',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: false,
  why:
    'The statement fails on a table that has rows. On an empty one, every INSERT of the live release fails, since ' +
    'it does not know the column; on a candidate, so does every row that replication brings. A default that ' +
    'the release drops again, or rows that it fills before SET NOT NULL, help existing rows only, not new ones.',
  instead: 'Add it with a constant default that stays (no rewrite), or nullable now and NOT NULL in a later release.',
  bad: 'ALTER TABLE t ADD COLUMN n integer NOT NULL;',
  good: 'ALTER TABLE t ADD COLUMN n integer NOT NULL DEFAULT 0;',
  check: {
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      const has = (type: string) => added?.constraints.some((one) => one.contype === type) === true;
      if (!added) return requiredAfterwards(command, context);
      if (
        !(has('CONSTR_NOTNULL') || has('CONSTR_PRIMARY')) ||
        has('CONSTR_DEFAULT') ||
        has('CONSTR_IDENTITY') ||
        has('CONSTR_GENERATED')
      )
        return undefined;
      if (columnType(added.column.typeName).base in serials) return undefined;
      const fix = `ALTER TABLE ${plainTable(context.table)} ${context.words.replace(/\s*\bNOT\s+NULL\b/i, '')};`;
      return {
        message: `No row that is there has a value for ${added.name}, and the live release gives none.`,
        range: context.command,
        table: context.table,
        fix,
      };
    },
  },
};

/** Of a column that this release adds: NOT NULL set, or the default dropped, and at the end nothing fills it. */
function requiredAfterwards(command: Of<'AlterTableCmd'>, context: AlterContext): Draft | undefined {
  const column = setColumn(command) ?? command.name ?? '';
  const known = context.schema.column(context.table, column);
  const emptied = command.subtype === 'AT_ColumnDefault' && command.def === undefined && known?.notNull === true;
  const required = setColumn(command) !== undefined && known?.hasDefault === false;
  if (!(emptied || required) || !context.schema.isNewColumn(context.table, column)) return undefined;
  if (relievedLater(context, column)) return undefined;
  return {
    message: `The live release gives no value for ${column}, which is new, and from here on it needs one.`,
    range: context.command,
    table: context.table,
    object: columnObject(context.table, column),
  };
}

function relievedLater(context: AlterContext, column: string): boolean {
  return laterCommands(context).some(
    (later) =>
      fills(later, column) ||
      (later.name === column && (later.subtype === 'AT_DropNotNull' || later.subtype === 'AT_DropColumn')),
  );
}

/** The command gives the column a value where an INSERT leaves it out. */
export function fills({ subtype, name, def }: Of<'AlterTableCmd'>, column: string): boolean {
  return name === column && (subtype === 'AT_AddIdentity' || (subtype === 'AT_ColumnDefault' && def !== undefined));
}

export const dropNotNull: LintRule = {
  id: 'drop-not-null',
  title: 'A column may be null from now on',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'Once the new release writes a null, reverse replication to the retained database stops at that row, because ' +
    'the column is still NOT NULL there; the live release may not expect it either.',
  instead:
    'Drop NOT NULL in one release, and begin to write nulls in the next, when the retained database has the relaxed column too.',
  bad: 'ALTER TABLE t ALTER COLUMN c DROP NOT NULL;',
  good: "ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x';",
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_DropNotNull' &&
      context.schema.column(context.table, command.name ?? '')?.notNull !== false
        ? {
            message: `A null in ${context.table.name}.${command.name ?? ''} stops reverse replication: the retained database does not take it.`,
            range: context.command,
            table: context.table,
          }
        : undefined,
  },
};

export const notNullRules: readonly LintRule[] = [setNotNull, tightenNotNull, requiredColumn, dropNotNull];
