import { ofVerdict, type SeenChange } from '../../model/shape-changes.ts';
import type { SchemaObject } from '../../postgres/fingerprint/index.ts';
import { isPartOf, ofTrigger, schemaDifference } from '../shapes/changes.ts';
import { plain } from './notes.ts';

/** Something that the new release has and the live one does not. */
export interface Expansion {
  readonly object: string;
  readonly kind: string;
}

const shown: ReadonlySet<string> = new Set([
  'table',
  'view',
  'materialized view',
  'foreign table',
  'column',
  'type',
  'domain',
  'function',
  'aggregate',
]);

/** What the live release loses: a note can say that it no longer uses it. */
export function contractions(changes: readonly SeenChange[]): SeenChange[] {
  return ofVerdict(changes, 'breaks N');
}

/** What `after` has and `before` has not; columns of relations that are new as a whole are not listed. */
export function expansions(before: readonly SchemaObject[], after: readonly SchemaObject[]): Expansion[] {
  const added = schemaDifference(before, after).filter(
    ({ change, kind, after: now }) => change === 'added' && shown.has(kind) && !ofTrigger(now),
  );
  const fresh = new Set(added.map(({ identity }) => identity));
  return added
    .filter((each) => !isPartOf(each, fresh))
    .map(({ kind, identity }) => ({ object: plain(identity), kind }));
}
