import type { LintReport } from '../finding.ts';

/** The report as it is: one object, stable field names. */
export function jsonReport(report: LintReport): string {
  return JSON.stringify({ type: 'lint', ...report }, null, 2);
}
