import { all, as, nameLabel, nameOfParts, strings, type Of } from '../ast.ts';
import { columnType, typeText } from '../column-type.ts';
import type { AlterContext } from '../context.ts';
import type { TypeFact } from '../facts.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';
import { volatileCall } from '../volatility.ts';

interface Added {
  readonly column: Of<'ColumnDef'>;
  readonly name: string;
  readonly constraints: readonly Of<'Constraint'>[];
}

export function addedColumn(command: Of<'AlterTableCmd'>): Added | undefined {
  const column = command.subtype === 'AT_AddColumn' ? as(command.def, 'ColumnDef') : undefined;
  return column && { column, name: column.colname ?? '', constraints: all(column.constraints, 'Constraint') };
}

function rewriting(context: AlterContext, message: string, fix?: string): Draft {
  return { message, range: context.command, table: context.table, ...(fix === undefined ? {} : { fix }) };
}

const backfill = (table: string, column: string) =>
  `-- then fill existing rows in batches: a file NNNN_name.backfill.yaml (verdigris backfill), or UPDATE ${table} SET ${column} = … WHERE id BETWEEN … AND …`;

/** The domain that a column is of, as the files tell it. */
function domainOf(added: Added | undefined, { schema }: AlterContext): TypeFact | undefined {
  return schema.types.get(nameLabel(nameOfParts(strings(added?.column.typeName?.names), schema.defaultSchema)));
}

export const volatileDefault: LintRule = {
  id: 'add-column-volatile-default',
  title: 'New column with a volatile default',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    'A constant default is stored once in the catalogue. A volatile one has to be computed for each row, so ' +
    'PostgreSQL rewrites the whole table and all its indexes and nobody can read it meanwhile.',
  instead:
    'Add the column without a default, set the default (it counts for new rows only), and fill the old rows in batches.',
  bad: 'ALTER TABLE t ADD COLUMN token uuid DEFAULT gen_random_uuid();',
  good: 'ALTER TABLE t ADD COLUMN token uuid;\nALTER TABLE t ALTER COLUMN token SET DEFAULT gen_random_uuid();',
  check: {
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      const given = added?.constraints.find((one) => one.contype === 'CONSTR_DEFAULT');
      const call = given ? volatileCall(given.raw_expr, context.schema) : domainOf(added, context)?.volatileDefault;
      if (!added || call === undefined) return undefined;
      const [table, column] = [plainTable(context.table), plainIdent(added.name)];
      const message = call.certain
        ? `Column ${added.name} gets a value of its own in every row, because ${call.name}() is volatile.`
        : `Column ${added.name} gets a value of its own in every row, unless ${call.name}(), which none of the ` +
          'files makes, is STABLE or IMMUTABLE: a function is volatile unless it says otherwise.';
      if (!given) return rewriting(context, message);
      const expression = context.source
        .slice(context.at(given.location).start, context.command.end)
        .replace(/^DEFAULT\s+/i, '')
        .replace(/\s+(?:NOT\s+NULL|UNIQUE|PRIMARY\s+KEY|CHECK|REFERENCES|CONSTRAINT)\b[^]*$/i, '');
      return rewriting(
        context,
        message,
        `ALTER TABLE ${table} ADD COLUMN ${column} ${typeText(columnType(added.column.typeName))};\n` +
          `ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT ${expression};\n` +
          `${backfill(table, column)}`,
      );
    },
  },
};

export const storedGenerated: LintRule = {
  id: 'add-generated-column',
  title: 'New stored generated column',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    'A stored generated column is computed for each existing row: the table is rewritten under a lock that ' +
    'stops reads and writes.',
  instead:
    'Use an ordinary column, kept by a trigger and filled in batches; often a view or an expression index is ' +
    'enough. From PostgreSQL 18, VIRTUAL costs nothing.',
  bad: 'ALTER TABLE t ADD COLUMN twice bigint GENERATED ALWAYS AS (a * 2) STORED;',
  good: 'ALTER TABLE t ADD COLUMN twice bigint;',
  check: {
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      const generated = added?.constraints.find(
        (one) => one.contype === 'CONSTR_GENERATED' && one.generated_kind !== 'v',
      );
      if (!added || !generated) return undefined;
      const fix =
        context.config.postgres >= 18
          ? `ALTER TABLE ${plainTable(context.table)} ${context.words.replace(/\bSTORED\b/i, 'VIRTUAL')};`
          : undefined;
      return rewriting(context, `Column ${added.name} is computed and stored for every row.`, fix);
    },
  },
};

export const numberedColumn: LintRule = {
  id: 'add-identity-column',
  title: 'New serial or identity column',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    'Each existing row gets a number, so the whole table is rewritten. If two databases do this separately, a ' +
    'row may get different numbers.',
  instead: 'Add a nullable column, a sequence and a default; fill the old rows in batches.',
  bad: 'ALTER TABLE t ADD COLUMN number bigserial;',
  good: 'ALTER TABLE t ADD COLUMN number bigint;',
  check: {
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      const type = columnType(added?.column.typeName).base;
      const identity = added?.constraints.some((one) => one.contype === 'CONSTR_IDENTITY') === true;
      if (!added || !(identity || type.endsWith('serial'))) return undefined;
      const [table, column] = [plainTable(context.table), plainIdent(added.name)];
      const sequence = plainIdent(`${context.table.name}_${added.name}_seq`);
      const kept =
        type === 'serial'
          ? 'integer'
          : type === 'smallserial'
            ? 'smallint'
            : type === 'bigserial'
              ? 'bigint'
              : typeText(columnType(added.column.typeName));
      return rewriting(
        context,
        `Column ${added.name} numbers every row that is there.`,
        `ALTER TABLE ${table} ADD COLUMN ${column} ${kept};\n` +
          `CREATE SEQUENCE ${sequence} OWNED BY ${table}.${column};\n` +
          `ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT nextval('${sequence}');\n` +
          `${backfill(table, column)}`,
      );
    },
  },
};

export const constrainedDomain: LintRule = {
  id: 'add-column-constrained-domain',
  title: 'New column of a domain with constraints',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    "PostgreSQL checks the domain's constraints for the new column row by row, by rewriting the table, even " +
    'where every value is null.',
  instead: "Give the column the domain's base type and a CHECK that is added NOT VALID and validated later.",
  bad: 'CREATE DOMAIN positive AS integer CHECK (VALUE > 0);\nALTER TABLE t ADD COLUMN n positive;',
  good: 'ALTER TABLE t ADD COLUMN n integer;',
  check: {
    AlterTableCmd: (command, context) => {
      const added = addedColumn(command);
      const domain = domainOf(added, context);
      return added && domain?.constrained === true
        ? rewriting(context, `Column ${added.name} is of the domain ${domain.name.name}, which has constraints.`)
        : undefined;
    },
  },
};

export const changedExpression: LintRule = {
  id: 'change-generated-expression',
  title: 'New expression for a stored generated column',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why:
    'Every row is computed again, and the table rewritten. Until the switchover the two databases hold ' +
    'different values in the column, which verification will report.',
  instead: 'Add a second column with the new expression and move readers to it.',
  bad: 'ALTER TABLE g ALTER COLUMN twice SET EXPRESSION AS (a * 3);',
  good: 'ALTER TABLE g ADD COLUMN thrice integer;',
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_SetExpression'
        ? rewriting(context, `Generated column ${command.name ?? ''} is computed again for every row.`)
        : undefined,
  },
};

export const addColumnRules: readonly LintRule[] = [
  volatileDefault,
  storedGenerated,
  numberedColumn,
  constrainedDomain,
  changedExpression,
];
