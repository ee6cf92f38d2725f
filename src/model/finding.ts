/** `refuse` blocks the step, `warn` is shown and counted, `info` is told. */
export type Grade = 'refuse' | 'warn' | 'info';

/** One thing that a check saw. Preflight, gates, verification and drift all speak in findings. */
export interface Finding {
  /** Stable, kebab-case; the page of docs/findings has a section of this name. */
  readonly id: string;
  readonly grade: Grade;
  /** One sentence: what is there. */
  readonly title: string;
  /** The objects concerned, as `schema.table.column` or the like; all of them. */
  readonly objects: readonly string[];
  /** Why it matters for a release. */
  readonly reason: string;
  /** The statement or action that fixes it, ready to run where that is possible. */
  readonly fix: string;
}
