import { oneLine } from './harmless.ts';
import { findingCatalogue, type FindingId, type Grade } from './finding-catalogue.ts';

export type { FindingId, Grade };

/** One thing that a check saw. Preflight, gates, verification and drift all speak in findings. */
export interface Finding {
  readonly id: FindingId;
  readonly grade: Grade;
  /** What is there: lower case, no full stop, so that `title: objects` reads as one line. */
  readonly title: string;
  /** The objects concerned, as `schema.table.column` or the like; all of them. */
  readonly objects: readonly string[];
  /** Why it matters for a release. */
  readonly reason: string;
  /** The statement or action that fixes it, ready to run where that is possible. */
  readonly fix: string;
}

type Catalogue = typeof findingCatalogue;

/** What the finding says itself; what the catalogue says of its id, it cannot say otherwise. */
export type Said<I extends FindingId> = Pick<Finding, 'objects' | 'reason'> &
  (Catalogue[I] extends { readonly title: string } ? { readonly title?: never } : Pick<Finding, 'title'>) &
  (Catalogue[I] extends { readonly fix: string } ? { readonly fix?: never } : Pick<Finding, 'fix'>) &
  (Catalogue[I]['grade'] extends Grade
    ? { readonly grade?: never }
    : { readonly grade: Exclude<Catalogue[I]['grade'], Grade>[number] });

/** Ids of one grade whose words all depend on the place: what a function that takes an id can build. */
export type WordlessId = {
  [I in FindingId]: Catalogue[I] extends { readonly title: string } | { readonly fix: string }
    ? never
    : Catalogue[I]['grade'] extends Grade
      ? I
      : never;
}[FindingId];

export function finding<I extends FindingId>(id: I, said: Said<I>): Finding {
  const { grade, ...words } = { ...findingCatalogue[id], ...said } as Omit<Finding, 'id'>;
  const { title, objects, reason, fix } = words;
  return { id, grade, title, objects, reason, fix };
}

export function refusals<F extends { readonly grade: Grade }>(findings: readonly F[]): F[] {
  return findings.filter(({ grade }) => grade === 'refuse');
}

export function refuses(findings: readonly { readonly grade: Grade }[]): boolean {
  return findings.some(({ grade }) => grade === 'refuse');
}

/**
 * `title: objects`, of which the first `most` are named: how every screen, log and message says a finding. One line,
 * whatever the names of the objects are.
 */
export function findingLine({ title, objects }: Pick<Finding, 'title' | 'objects'>, most = 6): string {
  const rest = objects.length - most;
  const shown = rest > 0 ? [...objects.slice(0, most), `and ${rest} more`] : objects;
  return oneLine(shown.length > 0 ? `${title}: ${shown.join(', ')}` : title);
}
