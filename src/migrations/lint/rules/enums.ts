import { as, nameLabel, strings, type Name, type Of } from '../ast.ts';
import { isBuiltin, type ColumnType } from '../column-type.ts';
import type { LintContext } from '../context.ts';
import type { Schema, TypeFact } from '../facts.ts';
import type { Drafts, LintRule } from '../rule.ts';

/** The enum that a column, or its elements, are of; undefined where it is none, or its CREATE was not seen. */
function enumOf(schema: Schema, type: ColumnType): readonly string[] | undefined {
  return isBuiltin(type.base) ? undefined : schema.types.get(labelOf(schema, type))?.values;
}

export function labelOf({ defaultSchema }: Schema, { base }: ColumnType): string {
  return base.includes('.') ? base : `${defaultSchema}.${base}`;
}

/** Values of one enum that another does not have; undefined where one of the two is not known. */
export function lostValues(schema: Schema, from: ColumnType, to: ColumnType): readonly string[] | undefined {
  if (from.array !== to.array) return undefined;
  const [had, has] = [enumOf(schema, from), enumOf(schema, to)];
  return had && has?.length ? had.filter((value) => !has.includes(value)) : undefined;
}

/** A type of this name is made, or gets it, later in the file. */
export function typeReturns(context: LintContext, name: Name): boolean {
  return context.after.some((later) => {
    if (later.tag === 'RenameStmt') {
      const node = later.fields as Of<'RenameStmt'>;
      return node.renameType === 'OBJECT_TYPE' && renamedTo(node, context) === nameLabel(name);
    }
    const made = later.fields as Of<'CreateEnumStmt'> & Of<'CreateDomainStmt'> & Of<'CompositeTypeStmt'>;
    if (later.tag === 'CompositeTypeStmt') return nameLabel(context.name(made.typevar)) === nameLabel(name);
    const parts =
      later.tag === 'CreateEnumStmt' ? made.typeName : later.tag === 'CreateDomainStmt' ? made.domainname : undefined;
    return parts !== undefined && nameLabel(context.nameOf(parts)) === nameLabel(name);
  });
}

function renamedTo(node: Of<'RenameStmt'>, context: LintContext): string {
  return nameLabel({ ...context.nameOf(node.object), name: node.newname ?? '' });
}

/** The type that had this name when the release began, and gave it up in it. */
function former(context: LintContext, label: string): TypeFact | undefined {
  const gone = context.schema.typesGone.get(label);
  return gone?.batch === context.schema.batch && gone.fact.batch !== context.schema.batch ? gone.fact : undefined;
}

export const enumValueRemoved: LintRule = {
  id: 'enum-value-removed',
  title: 'An enum comes back with fewer values',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why:
    'The live release still writes the value that is gone: its statement fails, and on a candidate the row comes ' +
    'by replication, as text, and stops it. The change of the columns fails where a row has the value.',
  instead:
    'Let the new release stop writing the value and move the rows off it; make the type without it in the release after.',
  bad:
    "CREATE TYPE mood_new AS ENUM ('ok');\n" +
    'ALTER TABLE moods ALTER COLUMN feel TYPE mood_new USING (feel::text::mood_new);\n' +
    'ALTER TYPE mood RENAME TO mood_old;\n' +
    'ALTER TYPE mood_new RENAME TO mood;\n' +
    'DROP TYPE mood_old;',
  good: "ALTER TABLE moods ADD CONSTRAINT no_longer_sad CHECK (feel <> 'sad') NOT VALID;",
  remedy: false,
  check: {
    RenameStmt: (node, context) => {
      if (node.renameType !== 'OBJECT_TYPE') return undefined;
      const now = context.schema.types.get(nameLabel(context.nameOf(node.object)));
      return fewer(context, { ...context.nameOf(node.object), name: node.newname ?? '' }, now?.values);
    },
    CreateEnumStmt: (node, context) => fewer(context, context.nameOf(node.typeName), strings(node.vals)),
  },
};

function fewer(context: LintContext, name: Name, now: readonly string[] | undefined): Drafts {
  const old = former(context, nameLabel(name));
  if (!old) return undefined;
  const object = nameLabel(name);
  if (!old.values || !now)
    return {
      message: `The type ${name.name} is another one from now on; whether it takes every value that the live release writes is not known here.`,
      object,
      severity: 'warning',
    };
  const lost = old.values.filter((value) => !now.includes(value));
  if (lost.length === 0) return undefined;
  return {
    message: `The type ${name.name} takes less than before: ${lost.map((value) => `'${value}'`).join(', ')} of the live release is gone.`,
    object,
  };
}

/** The type takes the place of another that had its name before: what it lacks is said once, of the type. */
export function takesPlaceLater(context: LintContext, to: ColumnType, from: ColumnType): boolean {
  return context.after.some((later) => {
    const node = as(later.node, 'RenameStmt');
    return (
      node?.renameType === 'OBJECT_TYPE' &&
      nameLabel(context.nameOf(node.object)) === labelOf(context.schema, to) &&
      renamedTo(node, context) === labelOf(context.schema, from)
    );
  });
}
