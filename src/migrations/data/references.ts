import type { Node } from 'libpg-query';
import { constraintName } from '../lint/learn-table.ts';
import { all, as, fieldsOf, nameOfParts, strings, tagOf, walk, type Of } from '../lint/ast.ts';
import type { NamedRelation } from './read.ts';
import { fits } from './judge.ts';

/** A foreign key that a file makes: rows of the one need rows of the other. */
export interface Reference {
  readonly from: NamedRelation;
  readonly to: NamedRelation;
  readonly name: string;
  readonly columns: readonly string[];
}

/** What becomes of foreign keys: some are made, and those of which `ends` is true are gone. */
export interface ReferenceChange {
  readonly made: readonly Reference[];
  readonly ends: (reference: Reference) => boolean;
}

/** Undefined for a statement that changes none. */
export function referencesIn(node: Node): ReferenceChange | undefined {
  if (tagOf(node) === 'DropStmt') return ofDrop(fieldsOf(node) as Of<'DropStmt'>);
  const relation = as(node, 'CreateStmt')?.relation ?? as(node, 'AlterTableStmt')?.relation;
  if (!relation) return undefined;
  const from = { schema: relation.schemaname, name: relation.relname ?? '' };
  const columnOf = new Map<unknown, string>();
  for (const [tag, fields] of walk(node))
    if (tag === 'ColumnDef') {
      const { constraints, colname = '' } = fields as Of<'ColumnDef'>;
      for (const constraint of all(constraints, 'Constraint')) columnOf.set(constraint, colname);
    }
  const made = [...walk(node)].flatMap(([tag, fields]) => {
    const { contype, pktable, conname, fk_attrs: listed } = tag === 'Constraint' ? (fields as Of<'Constraint'>) : {};
    if (contype !== 'CONSTR_FOREIGN' || !pktable) return [];
    const columns = listed ? strings(listed) : [columnOf.get(fields) ?? ''];
    const name = conname ?? constraintName(from.name, 'foreign', columns);
    return [{ from, to: { schema: pktable.schemaname, name: pktable.relname ?? '' }, name, columns }];
  });
  const gone = all(as(node, 'AlterTableStmt')?.cmds, 'AlterTableCmd');
  const ends = (reference: Reference): boolean =>
    isSame(reference.from, from) &&
    gone.some(
      ({ subtype, name = '' }) =>
        (subtype === 'AT_DropConstraint' && name === reference.name) ||
        (subtype === 'AT_DropColumn' && reference.columns.includes(name)),
    );
  return { made, ends };
}

function ofDrop({ removeType, objects = [] }: Of<'DropStmt'>): ReferenceChange | undefined {
  if (removeType !== 'OBJECT_TABLE') return undefined;
  const dropped = objects.map((object) => {
    const { schema, name } = nameOfParts(strings(object), '');
    return { schema: schema === '' ? undefined : schema, name };
  });
  return { made: [], ends: ({ from, to }) => dropped.some((table) => isSame(table, from) || isSame(table, to)) };
}

/** Where only one of them names a schema they may be the same, as `search_path` finds it. */
function isSame(one: NamedRelation, other: NamedRelation): boolean {
  return one.name === other.name && (one.schema ?? other.schema) === (other.schema ?? one.schema);
}

/** Tables that will be written at the switchover, and those whose rows refer to them. */
export function withReferring(held: ReadonlySet<string>, references: readonly Reference[]): Set<string> {
  const referring = references.filter(({ to }) => [...held].some((table) => fits(to, table)));
  return new Set([...held, ...referring.map(({ from: { schema = 'public', name } }) => `${schema}.${name}`)]);
}
