import { all, as, nameLabel, relationName, nameOfParts, strings, type Name, type Of, type Tag } from './ast.ts';
import type { Schema, TypeFact } from './facts.ts';
import { formulaOf } from '../shapes/formula.ts';
import { volatileCall } from './volatility.ts';

/** By tag of the statement: what it changes. */
export type Lessons = { readonly [T in Tag]?: (node: Of<T>, schema: Schema) => void };

/** Statements that make and change types. */
export const typeLessons: Lessons = {
  CreateDomainStmt: (node, schema) => {
    const name = nameOfParts(strings(node.domainname), schema.defaultSchema);
    const constrained = all(node.constraints, 'Constraint').some(
      (one) => one.contype === 'CONSTR_CHECK' || one.contype === 'CONSTR_NOTNULL',
    );
    const given = all(node.constraints, 'Constraint').find((one) => one.contype === 'CONSTR_DEFAULT')?.raw_expr;
    const volatileDefault = volatileCall(given, schema);
    const checks = all(node.constraints, 'Constraint').flatMap((one) => domainCheck(one, schema));
    schema.types.set(nameLabel(name), {
      name,
      kind: 'domain',
      constrained,
      volatileDefault,
      checks,
      notNull: all(node.constraints, 'Constraint').some((one) => one.contype === 'CONSTR_NOTNULL'),
      batch: schema.batch,
    });
  },
  AlterDomainStmt: (node, schema) => {
    const name = nameOfParts(strings(node.typeName), schema.defaultSchema);
    const known = schema.types.get(nameLabel(name));
    const constraint = node.subtype === 'C' ? as(node.def, 'Constraint') : undefined;
    if (constraint && known)
      schema.types.set(nameLabel(name), {
        ...known,
        checks: [...(known.checks ?? []), ...domainCheck(constraint, schema)],
      });
    if ((node.subtype === 'N' || node.subtype === 'O') && known?.notNull !== undefined)
      schema.types.set(nameLabel(name), { ...known, notNull: node.subtype === 'O' });
    // SET DEFAULT, or DROP DEFAULT, which has no expression.
    if (node.subtype === 'T' && known)
      schema.types.set(nameLabel(name), { ...known, volatileDefault: volatileCall(node.def, schema) });
  },
  CreateEnumStmt: (node, schema) => {
    const name = nameOfParts(strings(node.typeName), schema.defaultSchema);
    schema.types.set(nameLabel(name), {
      name,
      kind: 'enum',
      constrained: false,
      values: strings(node.vals),
      batch: schema.batch,
    });
  },
  CompositeTypeStmt: (node, schema) => {
    const name = relationName(node.typevar, schema.defaultSchema);
    schema.types.set(nameLabel(name), { name, kind: 'other', constrained: false, batch: schema.batch });
  },
  AlterEnumStmt: (node, schema) => {
    const name = nameOfParts(strings(node.typeName), schema.defaultSchema);
    const known = schema.types.get(nameLabel(name));
    const { oldVal, newVal = '' } = node;
    if (!known?.values || known.values.includes(newVal)) return;
    const values =
      oldVal === undefined ? [...known.values, newVal] : known.values.map((one) => (one === oldVal ? newVal : one));
    schema.types.set(nameLabel(name), { ...known, values });
  },
};

function domainCheck({ contype, raw_expr: expression }: Of<'Constraint'>, { batch }: Schema): TypeFact['checks'] & {} {
  return contype === 'CONSTR_CHECK' && expression ? [{ formula: formulaOf(expression), batch }] : [];
}

/** Columns keep their type, which has another name from here on. */
export function renameType(schema: Schema, from: Name, to: string): void {
  const known = schema.types.get(nameLabel(from));
  const name = { ...from, name: to };
  for (const table of schema.tables.values())
    for (const [column, fact] of table.columns)
      if (nameLabel(nameOfParts(fact.type.base.split('.'), schema.defaultSchema)) === nameLabel(from))
        table.columns.set(column, { ...fact, type: { ...fact.type, base: typeBase(name, schema) } });
  const fact: TypeFact = known ?? { name: from, kind: 'other', constrained: false, batch: -1 };
  leave(schema, from, fact);
  const was = fact.batch === schema.batch ? fact.was : (fact.was ?? from);
  schema.types.set(nameLabel(name), { ...fact, name, ...(was ? { was } : {}) });
}

/** As a column's type is written: without the schema where search_path finds it. */
function typeBase(name: Name, schema: Schema): string {
  return name.schema === schema.defaultSchema ? name.name : nameLabel(name);
}

/** The type is gone by this name. */
export function leave(schema: Schema, name: Name, fact: TypeFact): void {
  schema.types.delete(nameLabel(name));
  schema.typesGone.set(nameLabel(name), { fact, batch: schema.batch });
}
