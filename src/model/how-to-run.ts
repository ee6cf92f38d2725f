import type { Finding } from './finding.ts';
import type { Verb } from './transitions.ts';

/** Where a fix is SQL: by what it is run, as there may be neither psql nor a password for it at hand. */
export function howToRun(findings: readonly Pick<Finding, 'fix'>[], verb?: Verb): string[] {
  if (!findings.some(({ fix }) => /^[A-Z]+ .*;$/ms.test(fix))) return [];
  return [
    verb === 'seed'
      ? '`verdigris preflight --apply` runs what of it is safe; `verdigris psql -c` runs a statement.'
      : '`verdigris psql -c` runs a statement.',
  ];
}
