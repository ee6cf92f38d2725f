import { all, as, nameLabel, nameOfParts, strings, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { outputNames } from '../learn.ts';
import type { Draft, LintRule } from '../rule.ts';
import { plainIdent, plainTable } from '../names.ts';
import { columnType, typeText } from '../column-type.ts';
import { typeReturns } from './enums.ts';
import { columnObject } from './help.ts';

type DropType = NonNullable<Of<'DropStmt'>['removeType']>;

/** The objects of a DROP of one of these kinds that were there before the batch. */
function dropped(node: Of<'DropStmt'>, context: LintContext, ...types: DropType[]): Name[] {
  if (!types.includes(node.removeType ?? 'OBJECT_ACCESS_METHOD')) return [];
  return (node.objects ?? [])
    .map((object) => nameOfParts(strings(object), context.schema.defaultSchema))
    .filter((name) => !context.schema.isNew(name));
}

export const dropTable: LintRule = {
  id: 'drop-table',
  title: 'A table is dropped',
  severity: 'error',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Software N reads and writes it until the switchover, and again after a rollback. On a candidate, ' +
    'replication stops at the first row that N writes to it; after the switchover nothing of it comes back ' +
    'to the retained database.',
  instead:
    'Release N+1 stops using the table; drop it in the release after, with a note that says so: `migrate` ' +
    'refuses it while a release that uses it can be live (docs/expand-contract.md).',
  bad: 'DROP TABLE lone;',
  good: 'CREATE TABLE lone_2 (id bigint PRIMARY KEY);\nDROP TABLE lone_2;',
  remedy: false,
  check: {
    *DropStmt(node, context) {
      for (const table of dropped(node, context, 'OBJECT_TABLE', 'OBJECT_FOREIGN_TABLE')) {
        yield {
          message: `${table.name} and its rows are gone; software N and its replication fail on it.`,
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
    'Statements of software N that name the column fail. What N writes into it on the live database cannot ' +
    'be carried to the candidate, and rows of N+1 come back without it: where it is NOT NULL without a ' +
    'default, reverse replication stops.',
  instead:
    'Release N+1 stops using the column (make it nullable or give it a default then); drop it in the release ' +
    'after, with a note that says so: `migrate` refuses it earlier. Where `verdigris expand-contract` put ' +
    'another in its place, `verdigris expand-contract contract` writes the migration.',
  bad: 'ALTER TABLE t DROP COLUMN flag;',
  good: 'ALTER TABLE t ADD COLUMN n integer;\nALTER TABLE t DROP COLUMN n;',
  check: {
    AlterTableCmd: (command, context) => {
      const column = command.name ?? '';
      if (command.subtype !== 'AT_DropColumn' || context.schema.isNewColumn(context.table, column)) return undefined;
      const known = context.schema.column(context.table, column);
      const stops = known?.notNull === true && !known.hasDefault;
      const fix = stops
        ? {
            fix:
              `-- in this release, so that rows without it are taken:\n` +
              `ALTER TABLE ${plainTable(context.table)} ALTER COLUMN ${plainIdent(column)} DROP NOT NULL;\n` +
              `-- in a later release:\n${context.statement.text};`,
          }
        : {};
      const rest = stops ? '; it is NOT NULL without a default, so no row of release N+1 can go back' : '';
      return {
        message: `Software N still names ${context.table.name}.${column}${rest}.`,
        range: context.command,
        table: context.table,
        object: columnObject(context.table, column),
        ...fix,
      };
    },
  },
};

export const dropView: LintRule = {
  id: 'drop-view',
  title: 'A view is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  why: 'Statements of software N that read the view fail.',
  instead:
    'Drop it in the release after the last one that reads it. To change it, CREATE OR REPLACE VIEW, or drop ' +
    'and create it in the same migration with all its columns.',
  bad: 'DROP VIEW v;',
  good: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a, b, c FROM seen;',
  check: {
    *DropStmt(node, context) {
      for (const view of dropped(node, context, 'OBJECT_VIEW', 'OBJECT_MATVIEW')) {
        if (recreated(view, context)) continue;
        yield { message: `Software N reads ${view.name}.`, table: view, object: nameLabel(view) } satisfies Draft;
      }
    },
  },
};

function recreated(view: Name, context: LintContext): readonly string[] | true | undefined {
  for (const later of context.after) {
    const fields = later.fields as Of<'ViewStmt'> & Of<'CreateTableAsStmt'>;
    const relation =
      later.tag === 'ViewStmt' ? fields.view : later.tag === 'CreateTableAsStmt' ? fields.into?.rel : undefined;
    if (relation && same(context.name(relation), view)) return outputNames(fields.query) ?? true;
  }
  return undefined;
}

function same(one: Name, other: Name): boolean {
  return one.schema === other.schema && one.name === other.name;
}

export const viewColumnRemoved: LintRule = {
  id: 'view-column-removed',
  title: 'A view comes back without a column',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why: 'Statements of software N that name the column fail.',
  instead: 'Keep the column in the view, as a null if need be, until no software reads it.',
  bad: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a FROM seen;',
  good: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a, b, e FROM seen;',
  check: {
    *DropStmt(node, context) {
      for (const view of dropped(node, context, 'OBJECT_VIEW', 'OBJECT_MATVIEW')) {
        const now = recreated(view, context);
        const known = context.schema.table(view);
        if (!Array.isArray(now) || known?.complete !== true) continue;
        const gone = [...known.columns.keys()].filter((column) => !now.includes(column));
        if (gone.length > 0) yield { message: `${view.name} has no ${gone.join(', ')} any more.`, table: view };
      }
    },
    ViewStmt: (node, context) => {
      const view = context.name(node.view);
      const [known, now] = [context.schema.table(view), outputNames(node.query)];
      if (
        node.replace !== true ||
        known?.complete !== true ||
        known.batch === context.schema.batch ||
        !now ||
        node.aliases
      )
        return undefined;
      const gone = [...known.columns.keys()].filter((column) => !now.includes(column));
      return gone.length > 0
        ? {
            message: `PostgreSQL refuses to take ${gone.join(', ')} from ${view.name} by CREATE OR REPLACE, and software N reads it.`,
            table: view,
          }
        : undefined;
    },
  },
};

export const dropFunction: LintRule = {
  id: 'drop-function',
  title: 'A function or procedure is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why: 'Calls of software N fail, and so do triggers, views and defaults that the text of other functions hides.',
  instead:
    'Add the new one beside it, and drop the old in the release after. CREATE OR REPLACE where the signature stays.',
  bad: 'DROP FUNCTION f(integer);',
  good: "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x + 1';",
  check: {
    *DropStmt(node, context) {
      const kinds: DropType[] = ['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE'];
      if (!kinds.includes(node.removeType ?? 'OBJECT_TABLE')) return;
      for (const object of node.objects ?? []) {
        const name = context.nameOf(object);
        const known = context.schema.functions.get(nameLabel(name));
        if (known?.every((one) => one.batch === context.schema.batch) === true || createdLater(name, context)) continue;
        const given = as(object, 'ObjectWithArgs');
        const types = all(given?.objargs, 'TypeName').map((type) => typeText(columnType(type)));
        const args = given?.args_unspecified === true ? known?.[0]?.arguments : types.join(', ');
        yield {
          message: `Software N calls ${name.name}.`,
          object: `${nameLabel(name)}(${args ?? ''})`,
        } satisfies Draft;
      }
    },
  },
};

export function createdLater(name: Name, context: LintContext): Of<'CreateFunctionStmt'> | undefined {
  return context.after
    .filter((one) => one.tag === 'CreateFunctionStmt')
    .map((one) => one.fields as Of<'CreateFunctionStmt'>)
    .find((one) => same(context.nameOf(one.funcname), name));
}

export const dropType: LintRule = {
  id: 'drop-type',
  title: 'A type or domain is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  why: 'Software N casts to it or reads columns of it; the retained database keeps it, and the two schemas part.',
  instead: 'Drop it in the release after the last one that uses it.',
  bad: 'DROP TYPE unused;',
  good: "CREATE TYPE shade AS ENUM ('light');\nDROP TYPE shade;",
  remedy: false,
  check: {
    *DropStmt(node, context) {
      for (const name of dropped(node, context, 'OBJECT_TYPE', 'OBJECT_DOMAIN')) {
        const known = context.schema.types.get(nameLabel(name));
        // The name that software N knows is there again, or is not gone: what it is now is judged as a type.
        const back = known?.was ? context.schema.types.has(nameLabel(known.was)) : typeReturns(context, name);
        if (known?.batch === context.schema.batch || back) continue;
        yield {
          message: `Software N may use the type ${name.name}.`,
          object: nameLabel(known?.was ?? name),
        } satisfies Draft;
      }
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
};

export const dropObject: LintRule = {
  id: 'drop-object',
  title: 'Something software N may rely on is dropped',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why: 'A sequence, trigger, rule, policy, operator or extension works without being named in the software’s statements; its loss is seen late.',
  instead:
    'Drop it in the release after the one whose software no longer needs it; replace triggers with CREATE OR REPLACE TRIGGER.',
  bad: 'DROP TRIGGER t_touch ON t;',
  good: 'DROP TRIGGER t_touch ON t;\nCREATE TRIGGER t_touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();',
  check: {
    DropStmt: (node, context) => {
      const kind = rest[node.removeType ?? 'OBJECT_TABLE'];
      if (
        kind === undefined ||
        (node.missing_ok === true && node.removeType === 'OBJECT_TRIGGER' && retriggered(node, context)) ||
        retriggered(node, context)
      )
        return undefined;
      const names = (node.objects ?? []).map((object) => strings(object).at(-1) ?? '');
      const byName = called.includes(node.removeType ?? 'OBJECT_TABLE');
      return {
        message: `The ${kind} ${names.join(', ')} is gone for software N too.`,
        ...(byName ? { severity: 'error' as const } : {}),
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
  why: 'Everything in it goes with it, and software N and its replication fail on all of it.',
  instead: 'Drop its objects one by one, in the release after the last one that uses them.',
  bad: 'DROP SCHEMA old CASCADE;',
  good: 'CREATE SCHEMA fresh;',
  remedy: false,
  check: {
    DropStmt: (node) =>
      node.removeType === 'OBJECT_SCHEMA'
        ? {
            message: `Schema ${(node.objects ?? []).map((object) => strings(object).at(-1)).join(', ')} goes with all that is in it.`,
          }
        : undefined,
  },
};

export const cascade: LintRule = {
  id: 'drop-cascade',
  title: 'CASCADE drops what the statement does not name',
  severity: 'warning',
  category: 'destructive',
  where: 'both',
  breaksRollback: true,
  why: 'What depends on the object, such as views, foreign keys, columns and functions, goes without being listed, and differs from database to database.',
  instead: 'Name what is to go; let RESTRICT, the default, say what is in the way.',
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
