import type { SchemaKind, SchemaObject } from './object.ts';
import { byKindAndIdentity } from './read.ts';

export interface SchemaDifference {
  readonly change: 'added' | 'removed' | 'changed';
  readonly kind: SchemaKind;
  readonly identity: string;
  /** Definition in the first schema; missing where added. */
  readonly before?: string;
  /** Definition in the second schema; missing where removed. */
  readonly after?: string;
}

export interface DiffOptions {
  /**
   * The schemas come from servers of different majors. Before PostgreSQL 16 a view's query names the table before each
   * column, from 16 on only where there is more than one table; then queries are compared without what is before a
   * dot.
   */
  readonly acrossMajors?: boolean;
}

/** What must be done to `a` to get `b`, in order of kind and identity. A rename is a removal and an addition. */
export function diffSchema(
  a: readonly SchemaObject[],
  b: readonly SchemaObject[],
  { acrossMajors = false }: DiffOptions = {},
): SchemaDifference[] {
  const key = ({ kind, identity }: SchemaObject) => `${kind} ${identity}`;
  const [before, after] = [a, b].map((objects) => new Map(objects.map((object) => [key(object), object])));
  const objects = new Map([...(before ?? []), ...(after ?? [])]);
  const differences = [...objects]
    .sort(([, one], [, two]) => byKindAndIdentity(one, two))
    .flatMap(([id, { kind, identity }]): SchemaDifference[] => {
      const [old, now] = [before?.get(id)?.definition, after?.get(id)?.definition];
      if (old === undefined && now !== undefined) return [{ change: 'added', kind, identity, after: now }];
      if (now === undefined && old !== undefined) return [{ change: 'removed', kind, identity, before: old }];
      if (
        old === undefined ||
        now === undefined ||
        old === now ||
        (acrossMajors && loose(kind, old) === loose(kind, now))
      )
        return [];
      return [{ change: 'changed', kind, identity, before: old, after: now }];
    });
  // An extension that came, went or was updated stands for what it brought, and not for what others did.
  const extensions = differences.filter(({ kind }) => kind === 'extension');
  return differences.filter(
    ({ kind, identity }) =>
      !['member', 'extension object'].includes(kind) ||
      !extensions.some((each) => identity.endsWith(` of ${each.identity}`)),
  );
}

/** Kinds whose text holds a query that PostgreSQL wrote from its parse tree. */
const withQuery: ReadonlySet<SchemaKind> = new Set(['view', 'materialized view', 'rule', 'function', 'policy']);

function loose(kind: SchemaKind, definition: string): string {
  if (!withQuery.has(kind)) return definition;
  return definition
    .replaceAll(/("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)\s*\.\s*(?=["\p{L}_*])/gu, '')
    .replaceAll(/\s+/g, ' ');
}
