import { shortStatement } from '../delivery/analysis/one-line.ts';
import type { MirroredStatement, MirrorReport } from '../delivery/analysis/mirror/report.ts';
import { colors } from './colors.ts';
import { table } from './table.ts';

/** Statements that are shown; `--json` has all. */
const shown = 20;

export function mirrorText(report: MirrorReport): string {
  const { seconds, looked, compared, left, statements } = report;
  const rest = Object.entries(left).map(([why, count]) => `  ${count} not run: ${why}`);
  return [
    `${compared} of ${looked} statements compared in ${seconds.toFixed(0)} s`,
    ...rest,
    ...(statements.length === 0 ? [] : ['', table(head, statements.slice(0, shown).map(row))]),
    ...statements.flatMap(({ statement, seen }) =>
      seen === undefined ? [] : [colors.red(`${shortStatement(statement)}: ${seen}`)],
    ),
  ].join('\n');
}

const head = [
  'statement',
  'times',
  'same',
  'differs',
  'undecided',
  'live p50',
  'candidate p50',
  'live p95',
  'candidate p95',
];

function row({ statement, times, same, differs, undecided, compare, sample }: MirroredStatement): string[] {
  const ms = (values: readonly number[], q: number): string =>
    values.length === 0 ? '–' : `${quantile(values, q).toFixed(1)} ms`;
  return [
    shortStatement(statement, 50),
    String(times),
    compare === 'rows' ? String(same) : `${same} (times alone)`,
    String(differs),
    String(undecided),
    ms(sample.live, 0.5),
    ms(sample.candidate, 0.5),
    ms(sample.live, 0.95),
    ms(sample.candidate, 0.95),
  ];
}

/** By nearest rank. */
function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
