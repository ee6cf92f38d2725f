import { createHash } from 'node:crypto';
import path from 'node:path';
import { pointer } from '../../../model/pointer.ts';
import type { LintReport, Severity } from '../finding.ts';
import { facts } from './text.ts';

const severities: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'minor', info: 'info' };

/** GitLab's code quality report: a list, of which each entry is known again by its fingerprint. */
export function gitlabReport(report: LintReport): string {
  const seen = new Map<string, number>();
  return JSON.stringify(
    report.findings.map((finding) => {
      const file = path.relative('.', finding.path).replaceAll(path.sep, '/');
      const said = `${file}\n${finding.rule}\n${finding.message}\n${finding.excerpt.trim()}`;
      // The same statement twice in a file has the same finding twice: two entries need two fingerprints.
      const count = seen.get(said) ?? 0;
      seen.set(said, count + 1);
      return {
        description: `${finding.message} (${[...facts(finding), pointer(finding.rule)].join('; ')})`,
        check_name: finding.rule,
        fingerprint: createHash('sha256').update(`${said}\n${count}`).digest('hex'),
        severity: severities[finding.severity],
        location: { path: file, lines: { begin: finding.start.line, end: finding.end.line } },
      };
    }),
    null,
    2,
  );
}
