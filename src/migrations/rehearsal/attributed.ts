import type { Measurements } from './measure.ts';
import type { RelationRewrite } from './state.ts';

/**
 * Where statements were not measured in their session, a rewrite is laid at the longest of those that name the
 * relation, else at the longest.
 */
export function attributed(
  statements: Measurements['statements'],
  rewritten: readonly RelationRewrite[],
): Measurements['statements'] {
  const longest = (some: Measurements['statements']): Measurements['statements'][number] | undefined =>
    some.toSorted((a, b) => b.ms - a.ms)[0];
  const owner = new Map(
    rewritten.map((rewrite) => [
      rewrite,
      longest(statements.filter(({ text }) => text.includes(rewrite.relation.split('.').at(-1) ?? ''))) ??
        longest(statements),
    ]),
  );
  return statements.map((statement) => ({
    ...statement,
    rewrites: rewritten.filter((rewrite) => owner.get(rewrite) === statement),
  }));
}
