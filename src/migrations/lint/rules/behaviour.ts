import { all, as, nameLabel, strings } from '../ast.ts';
import { plainIdent } from '../names.ts';
import type { LintRule } from '../rule.ts';

export const compositeType: LintRule = {
  id: 'alter-composite-type',
  title: 'An attribute of a composite type is added, dropped or changed',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  why:
    'The live release writes and reads the type as it was: its row literals and ROW() values have another number ' +
    'of fields, or another type in one. Replication sends values as text, and stops where they do not fit.',
  instead: 'Make a new type and a new column of it; drop the old ones a release later.',
  bad: 'ALTER TYPE address DROP ATTRIBUTE zip;',
  good: 'CREATE TYPE address_2 AS (street text, city text);',
  check: {
    *AlterTableStmt(node, context) {
      const type = context.name(node.relation);
      if (node.objtype !== 'OBJECT_TYPE' || context.schema.types.get(nameLabel(type))?.batch === context.schema.batch)
        return;
      for (const command of all(node.cmds, 'AlterTableCmd')) {
        const name = command.name ?? as(command.def, 'ColumnDef')?.colname ?? '';
        const what =
          command.subtype === 'AT_AddColumn' ? 'comes' : command.subtype === 'AT_DropColumn' ? 'goes' : 'is changed';
        yield {
          message: `${plainIdent(name)} of the type ${type.name} ${what}: values that the live release writes no longer fit.`,
          object: nameLabel(type),
        };
      }
    },
  },
};

const invoker = 'security_invoker';

export const viewRights: LintRule = {
  id: 'view-rights',
  title: 'A view asks with other rights from now on',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why:
    'With security_invoker a view reads its tables with the rights, and under the policies, of whoever asks: ' +
    'roles of the live release that were given the view alone are refused, or see other rows.',
  instead: 'Make a second view with the option and move the software over; drop the first a release later.',
  bad: 'ALTER VIEW v SET (security_invoker = true);',
  good: 'CREATE VIEW v_2 WITH (security_invoker = true) AS SELECT id, a, b FROM seen;',
  check: {
    AlterTableStmt: (node, context) => {
      if (node.objtype !== 'OBJECT_VIEW' || context.isNew(node.relation)) return undefined;
      const changes = all(node.cmds, 'AlterTableCmd').some((command) =>
        all(as(command.def, 'List')?.items, 'DefElem').some((one) => one.defname === invoker),
      );
      const table = context.name(node.relation);
      return changes
        ? { message: `${table.name} is read with the rights of whoever asks, or no longer so.`, table }
        : undefined;
    },
  },
};

export const strictFunction: LintRule = {
  id: 'function-strictness',
  title: 'A function answers NULL arguments in another way',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why:
    'A STRICT function is not called where an argument is NULL, and returns NULL: ' +
    'the live release gets another answer for the same call, without an error.',
  instead: 'Make a second function and move the software over.',
  bad: 'ALTER FUNCTION f(integer) STRICT;',
  good: "CREATE FUNCTION f_2(x integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT x';",
  check: {
    AlterFunctionStmt: (node, context) => {
      const known = context.schema.functions.get(nameLabel(context.nameOf(node.func?.objname)));
      const made = known?.every((one) => one.batch === context.schema.batch) === true;
      const changes = all(node.actions, 'DefElem').some((one) => one.defname === 'strict');
      return changes && !made
        ? { message: `${strings(node.func?.objname).at(-1) ?? ''} treats a NULL argument in another way.` }
        : undefined;
    },
  },
};

export const behaviourRules: readonly LintRule[] = [compositeType, viewRights, strictFunction];
