import { as, constant, strings, type Of } from '../ast.ts';
import { columnType, isBuiltin, typeText, type ColumnType } from '../column-type.ts';
import type { AlterContext } from '../context.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';
import { carries, rewriteOf, same } from '../type-change.ts';
import { lostValues, takesPlaceLater } from './enums.ts';
import { columnObject } from './help.ts';

interface Change {
  readonly column: string;
  /** Undefined where no migration says the type. */
  readonly from: ColumnType | undefined;
  readonly to: ColumnType;
  /** USING changes values, beyond a cast to the new type. */
  readonly computed: boolean;
  readonly collated: boolean;
}

function changeOf(command: Of<'AlterTableCmd'>, context: AlterContext): Change | undefined {
  const definition = command.subtype === 'AT_AlterColumnType' ? as(command.def, 'ColumnDef') : undefined;
  if (!definition) return undefined;
  const to = columnType(definition.typeName);
  const column = command.name ?? '';
  return {
    column,
    to,
    from: context.schema.column(context.table, column)?.type,
    computed: computes(definition.raw_default, column, to),
    collated: definition.collClause !== undefined,
  };
}

/** Of a column that holds rows already, whose type now is known. */
function changeOfStored(
  command: Of<'AlterTableCmd'>,
  context: AlterContext,
): (Change & { readonly from: ColumnType }) | undefined {
  const change = changeOf(command, context);
  if (!change?.from || context.schema.isNewColumn(context.table, change.column)) return undefined;
  return { ...change, from: change.from };
}

function computes(using: Of<'ColumnDef'>['raw_default'], column: string, to: ColumnType): boolean {
  if (using === undefined) return false;
  const cast = as(using, 'TypeCast');
  const plainColumn = strings(as(cast ? cast.arg : using, 'ColumnRef')?.fields).at(-1) === column;
  return !plainColumn || (cast !== undefined && !same(columnType(cast.typeName), to));
}

export const changeType: LintRule = {
  id: 'change-column-type',
  title: 'A new column type rewrites the table',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    'Every row is converted and the table and its indexes rewritten, while nobody may read or write. Growing ' +
    "a varchar, a numeric's precision, or varchar to text costs nothing.",
  instead:
    'Add a column of the new type, keep both in step by a trigger, fill it in batches, move readers, drop ' +
    'the old one a release later: `verdigris expand-contract change-type` writes these migrations.',
  bad: 'ALTER TABLE t ALTER COLUMN a TYPE bigint;',
  good: 'ALTER TABLE t ADD COLUMN a_new bigint;',
  check: {
    AlterTableCmd: (command, context) => {
      const change = changeOf(command, context);
      if (!change) return undefined;
      const { from, to, column } = change;
      const kept = change.collated ? 'index' : 'none';
      const needed = change.computed || !from ? 'table' : rewriteOf(from, to);
      const rewrite = needed === 'none' ? kept : needed;
      if (rewrite === 'none' || (rewrite === 'utc' && zoneIsUtc(context))) return undefined;
      if (rewrite === 'index') return reindexedOnly(change, context);
      const what = from ? `from ${typeText(from)} to ${typeText(to)}` : `to ${typeText(to)}`;
      const doubt =
        from && !change.computed
          ? ''
          : from
            ? ' (USING computes each value)'
            : ' (its type now is not known here: no rewrite if it is a shorter one of the same kind)';
      const [table, fresh] = [plainTable(context.table), plainIdent(`${column}_new`)];
      return {
        message:
          rewrite === 'utc'
            ? `Column ${column} changes ${what}: free while the session's TimeZone is UTC, else every row is rewritten.`
            : `Column ${column} changes ${what}: every row is rewritten${doubt}.`,
        range: context.command,
        table: context.table,
        // Where the type is not known, or UTC spares the rewrite, the claim is a may, not a does.
        ...(rewrite === 'utc' || !from
          ? { work: 'scan' as const, severity: rewrite === 'utc' ? ('info' as const) : ('warning' as const) }
          : {}),
        ...(isKey(context, column) && rewrite !== 'utc'
          ? {}
          : {
              fix:
                rewrite === 'utc'
                  ? `SET LOCAL TimeZone = 'UTC';\n${context.statement.text};`
                  : `ALTER TABLE ${table} ADD COLUMN ${fresh} ${typeText(to)};\n` +
                    `-- with a trigger that keeps both in step and a backfill that fills it; ${plainIdent(column)} is ` +
                    `dropped a release later. To have all of it written:\n` +
                    `-- verdigris expand-contract change-type ${table} ${plainIdent(column)} '${typeText(to)}'`,
            }),
      };
    },
  },
};

/** No row is written; what is indexed by the column is built again. */
function reindexedOnly({ column, to, collated }: Change, context: AlterContext): Draft {
  const what = collated ? 'another collation' : `a ${typeText(to)}`;
  return {
    message: `Indexes on ${column} are built again, because ${what} compares in another way; no row is written.`,
    range: context.command,
    table: context.table,
    work: 'index',
    severity: 'info',
  };
}

/** Set before in the same file. */
function zoneIsUtc(context: AlterContext): boolean {
  const set = context.before.findLast((one) => as(one.node, 'VariableSetStmt')?.name === 'timezone');
  return /^(?:utc|etc\/utc|gmt)$/i.test(constant(as(set?.node, 'VariableSetStmt')?.args?.[0]) ?? '');
}

/**
 * expand-contract has no recipe for a column by which replication finds rows; on the candidate the plain statement
 * does.
 */
function isKey(context: AlterContext, column: string): boolean {
  return [...(context.known?.constraints.values() ?? [])].some(
    (one) => one.kind === 'primary' && one.columns.includes(column),
  );
}

export const narrowType: LintRule = {
  id: 'narrow-column-type',
  title: 'A new column type takes fewer values',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: false,
  why:
    'The live release still writes values of the old type. Those that do not fit fail on the live database; on a ' +
    'candidate they come by replication, as text, and stop it. The migration itself fails, or cuts values, ' +
    'where such rows are there already.',
  instead:
    'Let the software write only what fits for one release, check it with a constraint, and narrow the type in the next.',
  bad: 'ALTER TABLE t ALTER COLUMN b TYPE varchar(10);',
  good: 'ALTER TABLE t ALTER COLUMN d TYPE text;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const change = changeOfStored(command, context);
      if (!change) return undefined;
      const { from, to, column } = change;
      const lost = lostValues(context.schema, from, to);
      if (lost ? lost.length === 0 || takesPlaceLater(context, to, from) : !isBuiltin(from.base) || carries(from, to))
        return undefined;
      return {
        object: columnObject(context.table, column),
        message: `${typeText(to)} does not hold every value that the live release writes as ${typeText(from)} into ${context.table.name}.${column}.`,
        range: context.command,
        table: context.table,
      };
    },
  },
};

export const typeReplication: LintRule = {
  id: 'column-type-no-way-back',
  title: 'New values do not fit the old column type',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'Replication sends values as text. Once the new release writes one that the old type does not take, reverse ' +
    'replication to the retained database stops, and a rollback would lose rows.',
  instead:
    'Widen in one release; use the wider range in the next. Or keep the old column in step until no rollback to the live release of today is wanted.',
  bad: 'ALTER TABLE t ALTER COLUMN a TYPE bigint;',
  good: 'ALTER TABLE t ALTER COLUMN d TYPE varchar(20);',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) => {
      const change = changeOfStored(command, context);
      if (!change) return undefined;
      const { from, to, column } = change;
      if (same(from, to) || (isBuiltin(to.base) && carries(to, from))) return undefined;
      if (lostValues(context.schema, to, from)?.length === 0) return undefined;
      // A longer text of the same kind is the commonest change there is: shown, not counted.
      const severity = from.base === to.base || (isText(from) && isText(to)) ? ('info' as const) : ('warning' as const);
      return {
        message: `A ${typeText(to)} that does not fit ${typeText(from)} in ${context.table.name}.${column} stops reverse replication.`,
        range: context.command,
        table: context.table,
        severity,
      };
    },
  },
};

function isText(type: ColumnType): boolean {
  return !type.array && (type.base === 'text' || type.base === 'varchar' || type.base === 'bpchar');
}

export const columnTypeRules: readonly LintRule[] = [changeType, narrowType, typeReplication];
