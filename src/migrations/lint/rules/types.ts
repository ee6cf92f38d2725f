import { all, as, type Of } from '../ast.ts';
import { columnType, typeText } from '../column-type.ts';
import type { AlterContext, LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';
import { addedColumn } from './add-column.ts';

type Column = Of<'ColumnDef'>;

/** Looks at each column that a statement adds, with the columns of the table's primary key. */
function eachColumn(
  inspect: (column: Column, key: boolean, context: LintContext) => Omit<Draft, 'range'> | undefined,
  newTables?: 'info',
) {
  const at = (column: Column, draft: Omit<Draft, 'range'>, context: LintContext): Draft => ({
    ...draft,
    range: context.at(column.typeName?.location),
  });
  return {
    *CreateStmt(node: Of<'CreateStmt'>, context: LintContext) {
      if (node.relation?.relpersistence === 't') return;
      const keys = all(node.tableElts, 'Constraint')
        .filter((one) => one.contype === 'CONSTR_PRIMARY')
        .flatMap((one) => all(one.keys, 'String').map((key) => key.sval));
      for (const column of all(node.tableElts, 'ColumnDef')) {
        const key =
          keys.includes(column.colname) ||
          all(column.constraints, 'Constraint').some((one) => one.contype === 'CONSTR_PRIMARY');
        const draft = inspect(column, key, context);
        // Nobody uses a new table yet: there it is a matter of taste.
        const severity = newTables === 'info' ? { severity: 'info' as const } : {};
        if (draft) yield { ...at(column, draft, context), ...severity };
      }
    },
    AlterTableCmd(command: Of<'AlterTableCmd'>, context: AlterContext) {
      const column =
        addedColumn(command)?.column ??
        (command.subtype === 'AT_AlterColumnType' ? as(command.def, 'ColumnDef') : undefined);
      const draft = column && inspect(column, false, context);
      return column && draft ? at(column, draft, context) : undefined;
    },
  };
}

export const bigKey: LintRule = {
  id: 'prefer-bigint-key',
  title: 'A primary key of four bytes',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why: 'An integer key ends at 2,147,483,647, and changing it then means rewriting the whole table, and every table that refers to it.',
  instead: 'bigint, or uuid.',
  bad: 'CREATE TABLE fresh (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);',
  good: 'CREATE TABLE fresh (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);',
  check: eachColumn((column, key) => {
    const { base } = columnType(column.typeName);
    const generated = all(column.constraints, 'Constraint').some((one) => one.contype === 'CONSTR_IDENTITY');
    const small =
      base === 'serial' || base === 'smallserial' || ((base === 'int4' || base === 'int2') && (key || generated));
    return small
      ? {
          message: `${column.colname ?? ''} ends at ${base === 'int2' || base === 'smallserial' ? '32,767' : '2,147,483,647'}.`,
        }
      : undefined;
  }),
};

export const identity: LintRule = {
  id: 'prefer-identity',
  title: 'serial instead of an identity column',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why:
    'serial makes a sequence with privileges of its own, that ALTER TABLE does not know to belong to the ' +
    'column, and anybody may write another value by mistake.',
  instead: 'bigint GENERATED ALWAYS AS IDENTITY.',
  bad: 'CREATE TABLE fresh (id bigserial PRIMARY KEY);',
  good: 'CREATE TABLE fresh (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);',
  check: eachColumn((column) =>
    columnType(column.typeName).base.endsWith('serial')
      ? { message: `${column.colname ?? ''} is a serial.` }
      : undefined,
  ),
};

export const charType: LintRule = {
  id: 'ban-char',
  title: 'char(n)',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why:
    'Values are filled with blanks to the length, take more room for it, and compare in ways that surprise: ' +
    'trailing blanks count in some functions and not in others.',
  instead: 'text, with a CHECK on the length where one is wanted.',
  bad: 'ALTER TABLE t ADD COLUMN country char(2);',
  good: 'ALTER TABLE t ADD COLUMN country text;',
  check: eachColumn(
    (column) =>
      columnType(column.typeName).base === 'bpchar'
        ? { message: `${column.colname ?? ''} is filled with blanks.` }
        : undefined,
    'info',
  ),
};

export const textType: LintRule = {
  id: 'prefer-text',
  title: 'varchar(n) for text',
  severity: 'info',
  category: 'safety',
  where: 'both',
  off: true,
  why: 'A length in the type is changed by ALTER COLUMN TYPE under ACCESS EXCLUSIVE; shorter, it rewrites the table. It saves no room.',
  instead: 'text, with a CHECK on the length that can be changed without a lock.',
  bad: 'ALTER TABLE t ADD COLUMN name varchar(50);',
  good: 'ALTER TABLE t ADD COLUMN name text;',
  check: eachColumn((column) => {
    const type = columnType(column.typeName);
    return type.base === 'varchar' && type.parameters.length > 0
      ? { message: `${column.colname ?? ''} is ${typeText(type)}.` }
      : undefined;
  }),
};

export const timestamps: LintRule = {
  id: 'prefer-timestamptz',
  title: 'timestamp without time zone',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why:
    'It stores the wall clock of whoever wrote it: two sessions in different zones write different values ' +
    'for the same moment, and nothing says which is meant.',
  instead: 'timestamptz.',
  bad: 'ALTER TABLE t ADD COLUMN done timestamp;',
  good: 'ALTER TABLE t ADD COLUMN done timestamptz;',
  check: eachColumn((column) =>
    columnType(column.typeName).base === 'timestamp'
      ? { message: `${column.colname ?? ''} has no time zone.` }
      : undefined,
  ),
};

export const jsonType: LintRule = {
  id: 'prefer-jsonb',
  title: 'json instead of jsonb',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why:
    'json has no equality: SELECT DISTINCT, GROUP BY and UNION over the table’s rows fail as soon as the ' +
    'column is there, also in software N. REPLICA IDENTITY FULL cannot find rows by it.',
  instead: 'jsonb; json only where the text itself must be kept to the letter.',
  bad: 'ALTER TABLE t ADD COLUMN extra json;',
  good: 'ALTER TABLE t ADD COLUMN extra jsonb;',
  check: eachColumn(
    (column) =>
      columnType(column.typeName).base === 'json'
        ? { message: `${column.colname ?? ''} has no equality: SELECT DISTINCT over it fails.` }
        : undefined,
    'info',
  ),
};

export const money: LintRule = {
  id: 'ban-money',
  title: 'The money type',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  why: 'Its text depends on lc_monetary: replication sends text, so that servers with different settings read another amount or none.',
  instead: 'numeric, with the currency in a column of its own.',
  bad: 'ALTER TABLE t ADD COLUMN price money;',
  good: 'ALTER TABLE t ADD COLUMN price numeric(12,2);',
  check: eachColumn((column) =>
    columnType(column.typeName).base === 'money'
      ? { message: `${column.colname ?? ''} is read by the server's lc_monetary.` }
      : undefined,
  ),
};

export const robust: LintRule = {
  id: 'prefer-robust',
  title: 'No IF EXISTS or IF NOT EXISTS',
  severity: 'info',
  category: 'safety',
  where: 'both',
  off: true,
  why: 'A migration that runs without a transaction and failed half-way cannot be run again as it is.',
  instead: 'IF NOT EXISTS and IF EXISTS, where the engine does not keep a transaction.',
  bad: 'CREATE TABLE fresh (id bigint PRIMARY KEY);',
  good: 'CREATE TABLE IF NOT EXISTS fresh (id bigint PRIMARY KEY);',
  check: {
    CreateStmt: (node) =>
      node.if_not_exists === true ? undefined : { message: 'A second run fails: the table is there.' },
    DropStmt: (node) => (node.missing_ok === true ? undefined : { message: 'A second run fails: the object is gone.' }),
    AlterTableCmd: (command, context) =>
      (command.subtype === 'AT_AddColumn' || command.subtype === 'AT_DropColumn') && command.missing_ok !== true
        ? { message: 'A second run fails.', range: context.command }
        : undefined,
  },
};

export const longName: LintRule = {
  id: 'identifier-too-long',
  title: 'A name of more than 63 bytes',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why:
    'PostgreSQL cuts names at 63 bytes with a notice only. Two long names that begin alike become one, and ' +
    'software that looks for the whole name does not find it.',
  instead: 'A shorter name.',
  bad: 'CREATE TABLE a_name_that_goes_on_and_on_and_on_and_on_and_on_until_it_is_too_long_for_postgresql (id bigint PRIMARY KEY);',
  good: 'CREATE TABLE a_name (id bigint PRIMARY KEY);',
  file: function* (context) {
    for (const statement of context.statements) {
      if (statement.nested || !/[^\s".(),;]{64}/.test(statement.text)) continue;
      for (const token of statement.tokens) {
        const name = token.text.replace(/^"|"$/g, '');
        if (!token.comment && /^"|^[\p{L}_][\p{L}\p{N}_$]*$/u.test(token.text) && Buffer.byteLength(name) > 63) {
          yield {
            message: `It is cut to ${Buffer.from(name).subarray(0, 63).toString()}.`,
            range: { start: token.start, end: token.end },
          };
        }
      }
    }
  },
};

export const typeRules: readonly LintRule[] = [
  bigKey,
  identity,
  charType,
  textType,
  timestamps,
  jsonType,
  money,
  robust,
  longName,
];
