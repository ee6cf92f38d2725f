import { madeRoles } from '../../model/names.ts';
import { finding, type Finding, type WordlessId } from '../../model/finding.ts';
import type { SecretStatement } from './secret.ts';

/** A finding with what would bring the candidate in line; `[]` where no statement can. */
export interface GlobalFinding extends Finding {
  readonly statements: readonly SecretStatement[];
}

/** Roles that are none of the application's: PostgreSQL's own and ours. */
export function foreignRole(name: string): boolean {
  return name.startsWith('pg_') || madeRoles.includes(name);
}

/** One finding per kind of difference, naming all objects. */
export function globalFinding(
  id: WordlessId,
  title: string,
  reason: string,
  found: readonly { readonly object: string; readonly statements: readonly SecretStatement[] }[],
): GlobalFinding[] {
  if (found.length === 0) return [];
  const statements = found.flatMap((each) => each.statements);
  return [
    {
      ...finding(id, {
        title: `${found.length} ${title}`,
        objects: found.map(({ object }) => object),
        reason,
        fix: statements.map(({ text }) => `${text};`).join(' ') || 'Set it on the candidate by hand.',
      }),
      statements,
    },
  ];
}
