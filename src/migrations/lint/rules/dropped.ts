import { nameOfParts, strings, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';

export type DropType = NonNullable<Of<'DropStmt'>['removeType']>;

/** The objects of a DROP of one of these kinds that were there before the batch. */
export function dropped(node: Of<'DropStmt'>, context: LintContext, ...types: DropType[]): Name[] {
  if (!types.includes(node.removeType ?? 'OBJECT_ACCESS_METHOD')) return [];
  return (node.objects ?? [])
    .map((object) => nameOfParts(strings(object), context.schema.defaultSchema))
    .filter((name) => !context.schema.isNew(name));
}

export function sameName(one: Name, other: Name): boolean {
  return one.schema === other.schema && one.name === other.name;
}
