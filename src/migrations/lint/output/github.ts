import { pointer } from '../../../model/pointer.ts';
import { severities, type LintReport, type Severity } from '../finding.ts';
import { facts } from './text.ts';

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/** Workflow commands of GitHub Actions, one line each: they annotate the changed lines of a pull request. */
export function githubReport(report: LintReport): string {
  // GitHub shows ten of each kind in a step: the worst come first.
  return report.findings
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
    .map((finding) => {
      const { severity, path, start, end, rule, message, fix } = finding;
      const text = [
        message,
        facts(finding).join('; '),
        ...(fix === undefined ? [] : [`Instead:\n${fix}`]),
        pointer(rule),
      ];
      const place = [
        `file=${property(path)}`,
        `line=${start.line}`,
        `endLine=${end.line}`,
        `col=${start.column}`,
        ...(end.line === start.line ? [`endColumn=${end.column}`] : []),
        `title=${property(rule)}`,
      ];
      return `::${commands[severity]} ${place.join(',')}::${data(text.join('\n'))}\n`;
    })
    .join('');
}

/** A new line would end the command, and what follows could be another one. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
