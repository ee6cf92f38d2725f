import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { count } from '../../../model/count.ts';
import { pointer } from '../../../model/pointer.ts';
import type { LintFinding, LintReport, Severity } from '../finding.ts';

/** Colours, where the caller has a terminal; the plain one changes nothing. */
export interface Painter {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly info: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  /** Prose, as wide as the terminal; SQL stays as it is. */
  readonly prose: (text: string) => string;
}

const same = (text: string): string => text;
export const plainPainter: Painter = { error: same, warning: same, info: same, dim: same, bold: same, prose: same };

/**
 * For people: grouped by file, each finding with its line and a caret, what it locks, why, and the safe way. Each
 * rule's why is said once.
 */
export function textReport(report: LintReport, paint: Painter = plainPainter): string {
  const explained = new Set<string>();
  const blocks: string[] = [];
  let path = '';
  for (const finding of report.findings) {
    if (finding.path !== path) blocks.push(paint.bold((path = finding.path)));
    blocks.push(textFinding(finding, paint, !explained.has(finding.rule)));
    explained.add(finding.rule);
  }
  for (const { finding, reason } of report.suppressed) {
    blocks.push(paint.prose(paint.dim(`${finding.path}:${finding.start.line}: ${finding.rule} is allowed: ${reason}`)));
  }
  return [...blocks, paint.prose(summary(report, paint)), ''].join('\n\n').trimStart();
}

function textFinding(finding: LintFinding, paint: Painter, why: boolean): string {
  const { start } = finding;
  const lines = [
    paint.prose(`  ${paint[finding.severity](finding.severity)} ${paint.bold(finding.rule)}  ${finding.message}`),
    paint.dim(`  ${finding.path}:${start.line}:${start.column}`),
    ...excerptAt(finding).map((line) => `    ${line}`),
    paint.prose(`  ${paint.dim(facts(finding).join('; '))}`),
    ...(why ? [paint.prose(`  ${finding.why}`)] : []),
    ...(finding.fix === undefined ? [] : ['  Instead:', ...finding.fix.split('\n').map((line) => `    ${line}`)]),
    ...(why ? [paint.dim(`  ${pointer(finding.rule)}`)] : []),
  ];
  return lines.join('\n');
}

/**
 * The source line and a caret under the finding. Tabs stay tabs, so that the caret is where the terminal puts the
 * text.
 */
export function excerptAt(finding: Pick<LintFinding, 'start' | 'end' | 'excerpt'>): string[] {
  const number = String(finding.start.line);
  const characters = [...finding.excerpt];
  const before = characters
    .slice(0, finding.start.column - 1)
    .join('')
    .replaceAll(/[^\t ]/gu, indent);
  const last = finding.end.line === finding.start.line ? finding.end.column : characters.length + 1;
  const width = Math.max(1, Math.min(last, characters.length + 1) - finding.start.column);
  return [`${number} | ${finding.excerpt}`, `${' '.repeat(number.length)} | ${before}${'^'.repeat(width)}`];
}

function indent(character: string): string {
  if (character < '\u1100') return ' ';
  // East Asian wide characters and emoji fill two columns of a terminal.
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? '  '
    : ' ';
}

/** The measurable side of a finding, one clause each. */
export function facts(finding: LintFinding): string[] {
  const { lock, size } = finding;
  return [
    ...(lock ? [`${lock.mode}${lock.table === undefined ? '' : ` on ${lock.table}`} ${lock.blocks}`] : []),
    ...(finding.rewrites
      ? ['rewrites the table']
      : finding.work === 'scan'
        ? ['reads every row']
        : finding.work === 'index'
          ? ['builds an index']
          : []),
    finding.where === 'both'
      ? 'matters on the live database and on a candidate'
      : finding.where === 'live'
        ? 'matters on a live database'
        : 'matters on a candidate',
    ...(finding.breaksRollback ? ['a rollback may lose rows'] : []),
    ...(size
      ? [
          prettyBytes(size.tableBytes) +
            (size.rows < 0 ? '' : ` and about ${size.rows.toLocaleString('en')} rows`) +
            (size.seconds > 0 ? `: about ${about(size.seconds)}` : ''),
        ]
      : []),
    ...(finding.graded === undefined ? [] : [finding.graded]),
  ];
}

function summary(report: LintReport, paint: Painter): string {
  const those = (severity: Severity): number =>
    report.findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, infos] = [those('error'), those('warning'), those('info')];
  const live = report.findings.filter((finding) => finding.where === 'live' && finding.severity !== 'info').length;
  const suppressed = report.suppressed.length > 0 ? `; ${report.suppressed.length} allowed` : '';
  const accepted = report.accepted ? `; ${report.accepted} accepted by the baseline` : '';
  const head =
    `${count(errors, 'error')}, ${count(warnings, 'warning')}, ${count(infos, 'note')} in ` +
    `${count(report.files, 'file')}, ${count(report.statements, 'statement')}${suppressed}${accepted}.`;
  const hint =
    report.target === 'live' && live > 0
      ? `\n${live} of them matter on a live database only: \`--target candidate\` where Verdigris runs the migrations.`
      : '';
  return (
    paint[errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'bold'](head) +
    hint +
    (report.judged === undefined ? '' : `\n${report.judged}`)
  );
}

function about(seconds: number): string {
  return prettyMs(Math.max(1, Math.round(seconds * 1000)), { compact: true });
}
