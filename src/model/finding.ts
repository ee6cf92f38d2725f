/** `refuse` blocks the step, `warn` is shown and counted, `info` is only shown. */
export type Grade = 'refuse' | 'warn' | 'info';

/** One thing that a check saw. Preflight, gates, verification and drift all speak in findings. */
export interface Finding {
  /** Stable, kebab-case; docs/findings.md or docs/errors.md has a section of this name. */
  readonly id: string;
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

export function refusals<F extends { readonly grade: Grade }>(findings: readonly F[]): F[] {
  return findings.filter(({ grade }) => grade === 'refuse');
}

export function refuses(findings: readonly { readonly grade: Grade }[]): boolean {
  return findings.some(({ grade }) => grade === 'refuse');
}

/** `title: objects`, of which the first `most` are named: how every screen, log and message says a finding. */
export function findingLine({ title, objects }: Pick<Finding, 'title' | 'objects'>, most = 6): string {
  const rest = objects.length - most;
  const shown = rest > 0 ? [...objects.slice(0, most), `and ${rest} more`] : objects;
  return shown.length > 0 ? `${title}: ${shown.join(', ')}` : title;
}
