import { nameLabel, strings, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { LintRule } from '../rule.ts';
import { routineObject } from './drop-code.ts';
import { recreated } from './drop-views.ts';
import { typeReturns } from './enums.ts';
import { columnObject } from './help.ts';

const relations = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'];

/** The name by which the live release knows it, which this release may have renamed before. */
function knownAs<T>(
  { schema }: LintContext,
  name: T,
  was: { readonly name: T; readonly batch: number } | undefined,
): T {
  return was?.batch === schema.batch ? was.name : name;
}

/** The live release finds the name that it knows again: this statement, or a later one of the file, gives it back. */
function comesBack(node: Of<'RenameStmt'>, context: LintContext, known: string): boolean {
  const isColumn = node.renameType === 'OBJECT_COLUMN';
  let [relation, name] = [node.relation?.relname, node.newname];
  if (!isColumn) relation = name;
  for (const later of context.after) {
    if (name === known) return true;
    const next = later.fields as Of<'RenameStmt'>;
    if (later.tag !== 'RenameStmt' || next.renameType !== node.renameType || next.relation?.relname !== relation)
      continue;
    if (isColumn && next.subname !== name) continue;
    name = next.newname;
    if (!isColumn) relation = name;
  }
  return name === known;
}

/** A view that gives up its name to another with its columns. */
function isKept({ renameType }: Of<'RenameStmt'>, view: Name, context: LintContext): boolean {
  if (renameType !== 'OBJECT_VIEW' && renameType !== 'OBJECT_MATVIEW') return false;
  const [now, known] = [recreated(view, context), context.schema.table(view)];
  return Array.isArray(now) && known?.complete === true && [...known.columns.keys()].every((one) => now.includes(one));
}

export const renameTableRule: LintRule = {
  id: 'rename-table',
  title: 'A table or view is renamed or moved',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Statements of the live release that use the old name fail at once. Replication goes by name too: forward ' +
    'stops at the first row for the old name, reverse at the first for the new one.',
  instead: 'Keep the name, and put a view with the new one beside it: it takes reads and writes, and can stay.',
  bad: 'ALTER TABLE lone RENAME TO alone;',
  good: 'CREATE VIEW alone AS SELECT * FROM lone;',
  check: {
    RenameStmt: (node, context) => {
      if (!relations.includes(node.renameType ?? '') || context.isNew(node.relation)) return undefined;
      const from = context.name(node.relation);
      const table = knownAs(context, from, context.schema.table(from)?.was);
      if (comesBack(node, context, table.name) || isKept(node, table, context)) return undefined;
      const fix =
        node.renameType === 'OBJECT_TABLE'
          ? { fix: `CREATE VIEW ${plainIdent(node.newname ?? '')} AS SELECT * FROM ${plainTable(table)};` }
          : {};
      return {
        message: `The live release and replication know ${table.name}, not ${node.newname ?? ''}.`,
        table,
        object: nameLabel(table),
        ...fix,
      };
    },
    AlterObjectSchemaStmt: (node, context) => {
      if (!node.relation || context.isNew(node.relation)) return undefined;
      return {
        message:
          `The live release and replication know ${nameLabel(context.name(node.relation))}, ` +
          `not ${node.newschema ?? ''}.${node.relation.relname ?? ''}.`,
        table: context.name(node.relation),
      };
    },
  },
};

export const renameColumn: LintRule = {
  id: 'rename-column',
  title: 'A column is renamed',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Statements of the live release that use the old name fail. Replication maps columns by name: it stops in both ' +
    'directions where the column of the other side is missing.',
  instead:
    'Add a column with the new name, keep both in step by a trigger, fill it, drop the old one a release ' +
    'later (`verdigris expand-contract rename-column` writes these migrations).',
  bad: 'ALTER TABLE t RENAME COLUMN b TO label;',
  good: 'ALTER TABLE t ADD COLUMN label text;',
  check: {
    RenameStmt: (node, context) => {
      if (node.renameType !== 'OBJECT_COLUMN' || context.isNew(node.relation)) return undefined;
      const table = context.name(node.relation);
      const to = node.newname ?? '';
      if (context.schema.isNewColumn(table, node.subname ?? '')) return undefined;
      const from = knownAs(context, node.subname ?? '', context.schema.column(table, node.subname ?? '')?.was);
      if (comesBack(node, context, from)) return undefined;
      return {
        message: `The live release and replication know ${table.name}.${from}, not ${to}.`,
        table,
        object: columnObject(table, from),
        fix:
          `ALTER TABLE ${plainTable(table)} ADD COLUMN ${plainIdent(to)} …;\n` +
          `-- with a trigger that keeps ${from} and ${to} in step and a backfill that fills it; ${from} is dropped ` +
          `a release later. To have all of it written:\n` +
          `-- verdigris expand-contract rename-column ${plainTable(table)} ${plainIdent(from)} ${plainIdent(to)}`,
      };
    },
  },
};

export const renameObject: LintRule = {
  id: 'rename-object',
  title: 'A function, type, schema or other object is renamed or moved',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why: 'The live release calls it by the old name.',
  instead: 'Make the new one beside the old, and drop the old in the release after.',
  bad: 'ALTER FUNCTION f(integer) RENAME TO g;',
  good: "CREATE FUNCTION g2(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x';",
  check: {
    RenameStmt: (node, context) => {
      const harmless = [
        'OBJECT_INDEX',
        'OBJECT_TABCONSTRAINT',
        'OBJECT_DOMCONSTRAINT',
        'OBJECT_TRIGGER',
        'OBJECT_COLUMN',
        'OBJECT_POLICY',
        'OBJECT_RULE',
        'OBJECT_ROLE',
        'OBJECT_DATABASE',
        'OBJECT_STATISTIC_EXT',
        ...relations,
      ];
      if (harmless.includes(node.renameType ?? '') || isNewObject(node.object, context)) return undefined;
      if (node.renameType === 'OBJECT_TYPE' && typeReturns(context, context.nameOf(node.object))) return undefined;
      return {
        message:
          `The live release knows it as ${node.subname ?? strings(node.object).at(-1) ?? node.relation?.relname ?? ''}, ` +
          `not as ${node.newname ?? ''}.`,
        breaksRollback: node.renameType === 'OBJECT_SCHEMA',
        ...renamed(node, context),
      };
    },
    AlterObjectSchemaStmt: (node, context) =>
      node.relation || isNewObject(node.object, context)
        ? undefined
        : { message: `The live release looks for ${strings(node.object).at(-1) ?? ''} in its old schema.` },
  },
};

/** The old name, as the gate of `migrate` has it for a note. */
function renamed(node: Of<'RenameStmt'>, context: LintContext): { readonly object?: string } {
  const kind = node.renameType ?? '';
  if (kind === 'OBJECT_SCHEMA' && node.subname !== undefined) return { object: node.subname };
  if (kind === 'OBJECT_SEQUENCE') return { object: nameLabel(context.name(node.relation)) };
  if (node.object && ['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE'].includes(kind))
    return { object: routineObject(node.object, context) };
  return kind === 'OBJECT_TYPE' || kind === 'OBJECT_DOMAIN' ? { object: nameLabel(context.nameOf(node.object)) } : {};
}

function isNewObject(object: Of<'RenameStmt'>['object'], context: LintContext): boolean {
  const name = nameLabel(context.nameOf(object));
  const overloads = context.schema.functions.get(name);
  return (
    context.schema.types.get(name)?.batch === context.schema.batch ||
    overloads?.every((one) => one.batch === context.schema.batch) === true
  );
}

export const renameRules: readonly LintRule[] = [renameTableRule, renameColumn, renameObject];
