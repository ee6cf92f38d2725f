import type { Node, TypeName } from 'libpg-query';
import { all, as, walk, type Of } from '../ast.ts';
import { columnType, type ColumnType } from '../column-type.ts';
import type { LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';
import { addedColumn } from './add-column.ts';

/** Words that these types turn into a moment when they read a constant. Docs: "Date/Time Types / Special Values". */
const moment = /\b(?:now|today|tomorrow|yesterday)\b/i;

const timeTypes = new Set(['date', 'time', 'timetz', 'timestamp', 'timestamptz']);

function readsMoment(type: ColumnType | undefined): boolean {
  return type !== undefined && timeTypes.has(type.base) && !type.array;
}

/** The constant of a default that is read once; `type` is what a bare one is read as. */
function frozen(node: Node | undefined, type: ColumnType | undefined): Of<'A_Const'> | undefined {
  const bare = readsMoment(type) ? as(node, 'A_Const') : undefined;
  // 'now'::text::timestamp is read at each INSERT: there the inner cast has the constant.
  const cast = [...walk(node)]
    .filter(([tag, fields]) => tag === 'TypeCast' && readsMoment(columnType(fields['typeName'] as TypeName)))
    .map(([, fields]) => as(fields['arg'] as Node, 'A_Const'));
  return [bare, ...cast].find((one) => moment.test(one?.sval?.sval ?? ''));
}

function draft(constant: Of<'A_Const'> | undefined, of: string, context: LintContext): Draft | undefined {
  return (
    constant && {
      message: `'${constant.sval?.sval}' is read now, not at each INSERT: every later row gets the moment of this migration in ${of}.`,
      range: context.at(constant.location),
    }
  );
}

function ofColumn(column: Of<'ColumnDef'>, context: LintContext): Draft | undefined {
  const given = all(column.constraints, 'Constraint').find((one) => one.contype === 'CONSTR_DEFAULT');
  return draft(frozen(given?.raw_expr, columnType(column.typeName)), column.colname ?? '', context);
}

export const defaultFrozenTimeRule: LintRule = {
  id: 'default-frozen-time',
  title: 'A default that stays at the moment of the migration',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  newTables: true,
  why:
    "The words 'now', 'today', 'tomorrow' and 'yesterday' are turned into a date or time when the default is made, not when a row is " +
    'inserted. Every row that relies on the default gets the same value for ever, and no error says so.',
  instead: 'now(), CURRENT_DATE or another function: it is called at each INSERT.',
  bad: "ALTER TABLE t ADD COLUMN seen timestamptz DEFAULT 'now';",
  good: 'ALTER TABLE t ADD COLUMN seen timestamptz DEFAULT now();',
  check: {
    CreateStmt: (node, context) =>
      node.relation?.relpersistence === 't'
        ? undefined
        : all(node.tableElts, 'ColumnDef')
            .map((column) => ofColumn(column, context))
            .filter((one) => one !== undefined),
    CreateDomainStmt: (node, context) => {
      const given = all(node.constraints, 'Constraint').find((one) => one.contype === 'CONSTR_DEFAULT');
      return draft(frozen(given?.raw_expr, columnType(node.typeName)), 'columns of this domain', context);
    },
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      if (added) return ofColumn(added.column, context);
      if (command.subtype !== 'AT_ColumnDefault') return undefined;
      const type = context.known?.columns.get(command.name ?? '')?.type;
      return draft(frozen(command.def, type), command.name ?? '', context);
    },
  },
};
