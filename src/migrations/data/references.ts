import type { Node } from 'libpg-query';
import { as, walk, type Of } from '../lint/ast.ts';
import type { NamedRelation } from './read.ts';
import { fits } from './judge.ts';

/** A foreign key that a file makes: rows of the one need rows of the other. */
export interface Reference {
  readonly from: NamedRelation;
  readonly to: NamedRelation;
}

export function referencesIn(node: Node): Reference[] {
  const relation = as(node, 'CreateStmt')?.relation ?? as(node, 'AlterTableStmt')?.relation;
  if (!relation) return [];
  const from = { schema: relation.schemaname, name: relation.relname ?? '' };
  return [...walk(node)].flatMap(([tag, fields]) => {
    const { contype, pktable } = tag === 'Constraint' ? (fields as Of<'Constraint'>) : {};
    if (contype !== 'CONSTR_FOREIGN' || !pktable) return [];
    return [{ from, to: { schema: pktable.schemaname, name: pktable.relname ?? '' } }];
  });
}

/** Tables that will be written at the switchover, and those whose rows refer to them. */
export function withReferring(held: ReadonlySet<string>, references: readonly Reference[]): Set<string> {
  const referring = references.filter(({ to }) => [...held].some((table) => fits(to, table)));
  return new Set([...held, ...referring.map(({ from: { schema = 'public', name } }) => `${schema}.${name}`)]);
}
