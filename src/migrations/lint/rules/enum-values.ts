import { as, nameLabel, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { LintRule } from '../rule.ts';
import { enumValueRemoved, labelOf } from './enums.ts';

export const renameEnumValue: LintRule = {
  id: 'rename-enum-value',
  title: 'An enum value is renamed',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  why:
    'The live release writes the old value, which the database refuses now. Replication sends values as text: the ' +
    'old one stops the candidate, the new one the retained database.',
  instead:
    'Add the new value, move rows and software over, and leave the old one unused: values of an enum cannot be dropped.',
  bad: "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
  good: "COMMENT ON TYPE mood IS 'of a person';",
  remedy: false,
  check: {
    AlterEnumStmt: (node, context) => {
      const type = context.nameOf(node.typeName);
      if (node.oldVal === undefined || context.schema.types.get(nameLabel(type))?.batch === context.schema.batch)
        return undefined;
      return { message: `The live release and replication know '${node.oldVal}', not '${node.newVal ?? ''}'.` };
    },
  },
};

export const addEnumValue: LintRule = {
  id: 'add-enum-value',
  title: 'An enum gets a value',
  severity: 'warning',
  category: 'reversibility',
  where: 'both',
  breaksRollback: true,
  why:
    'A value of an enum cannot be taken away again. Once the new release writes it, reverse replication stops, ' +
    'because the retained database does not know it, and the live release meets a value that it does not expect.',
  instead:
    'Add the value in one release and write it in the next, so that the retained database knows it too. For ' +
    'lists that change often, a table with a foreign key.',
  bad: "ALTER TYPE mood ADD VALUE 'calm';",
  good: "CREATE TYPE shade AS ENUM ('light', 'dark');\nALTER TYPE shade ADD VALUE 'grey';",
  remedy: false,
  check: {
    AlterEnumStmt: (node, context) => {
      const type = context.nameOf(node.typeName);
      if (node.oldVal !== undefined || context.schema.types.get(nameLabel(type))?.batch === context.schema.batch)
        return undefined;
      return {
        message: `'${node.newVal ?? ''}' of ${type.name} stays for good, and stops reverse replication once it is written.`,
      };
    },
  },
};

export const enumValueUsed: LintRule = {
  id: 'enum-value-used-in-transaction',
  title: 'A new enum value is used in the transaction that adds it',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'PostgreSQL refuses the new value until the transaction that added it has committed (SQLSTATE 55P04).',
  instead: 'Put the statement that uses it into the next migration.',
  bad: "ALTER TYPE mood ADD VALUE 'calm';\nUPDATE moods SET feel = 'calm' WHERE id = 1;",
  good: "UPDATE moods SET feel = 'ok' WHERE id = 1;",
  remedy: false,
  check: {
    UpdateStmt: uses,
    InsertStmt: uses,
    SelectStmt: uses,
    AlterTableStmt: uses,
    CreateStmt: uses,
    DeleteStmt: uses,
  },
};

function uses(_: object, context: LintContext): { message: string } | undefined {
  if (context.transaction.enumValues.size === 0 || !context.transaction.open) return undefined;
  const text = JSON.stringify(as(context.statement.node, context.statement.tag));
  const [used] =
    [...context.transaction.enumValues].find(
      ([value, type]) => text.includes(`"sval":${JSON.stringify(value)}`) && mayHold(context, type),
    ) ?? [];
  return used === undefined
    ? undefined
    : { message: `'${used}' was added to its enum in this transaction and cannot be used before COMMIT.` };
}

/** A table whose columns are all known, and none is of the enum, is written a text of the same letters. */
function mayHold(context: LintContext, type: string): boolean {
  if (context.statement.tag !== 'InsertStmt' && context.statement.tag !== 'UpdateStmt') return true;
  const { relation } = context.statement.fields as Of<'InsertStmt'>;
  const known = context.fact(relation);
  return (
    known?.complete !== true ||
    [...known.columns.values()].some((column) => labelOf(context.schema, column.type) === type)
  );
}

export const enumRules: readonly LintRule[] = [renameEnumValue, enumValueRemoved, addEnumValue, enumValueUsed];
