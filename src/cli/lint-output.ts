import type { LintReport } from '../migrations/lint/finding.ts';
import { gitlabReport } from '../migrations/lint/output/gitlab.ts';
import { githubReport } from '../migrations/lint/output/github.ts';
import { jsonReport } from '../migrations/lint/output/json.ts';
import { sarifReport } from '../migrations/lint/output/sarif.ts';
import { harmlessButColours } from '../model/harmless.ts';
import { plainPainter, textReport, type Painter } from '../migrations/lint/output/text.ts';
import { colors } from './colors.ts';
import { wrapText } from './wrap.ts';

export const lintFormats = ['text', 'json', 'sarif', 'github', 'gitlab'] as const;
export type LintFormat = (typeof lintFormats)[number];

export function render(report: LintReport, format: LintFormat): string {
  if (format === 'json') return jsonReport(report);
  if (format === 'sarif') return sarifReport(report);
  if (format === 'gitlab') return gitlabReport(report);
  return format === 'github' ? githubReport(report) : textReport(report, painter());
}

function painter(): Painter {
  const { isTTY, columns } = process.stdout;
  if (!isTTY) return plainPainter;
  const { red, yellow, cyan, dim, bold } = colors;
  return { error: red, warning: yellow, info: cyan, dim, bold, prose: (text) => wrapText(text, columns || 80) };
}

/** Waits until a pipe has taken everything: a report may be larger than its buffer. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) =>
    process.stdout.write(harmlessButColours(text.endsWith('\n') || text === '' ? text : `${text}\n`), () => resolve()),
  );
}
