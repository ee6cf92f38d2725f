import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import { runsOf, type Run } from '../model/runs.ts';
import { when } from '../model/when.ts';
import type { HistoryEntry } from '../platform/port/history.ts';
import { colors } from './colors.ts';
import { verdictLines } from './delivery-text.ts';
import { whole } from './numbers.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

const width = 48;
const { dim: idle, cyan: work, red: failed } = colors;

/** Draws a release: one bar for each command, on one scale, filled where a step was at work. */
export function timelineText(entry: HistoryEntry): string {
  const begin = Date.parse(entry.startedAt);
  const total = Math.max(1, Date.parse(entry.endedAt) - begin);
  const head = [
    colors.bold(`${entry.from} → ${entry.to}`),
    entry.outcome,
    when(entry.startedAt),
    prettyMs(total),
    ...(entry.pauseMs === undefined ? [] : [`pause ${prettyMs(entry.pauseMs)}`]),
  ].join('  ');
  const bars = runsOf(entry.spans).map(
    (run) => `  ${run.verb.padEnd(9)} ${barOf(run, begin, total)} ${prettyMs(run.worked)}`,
  );
  const migrations = (entry.migrations ?? []).map(
    ({ engine, outcome, applied, log }) =>
      `  ${engine}: ${outcome === 'done' ? applied.join(', ') || 'nothing was pending' : colors.red('failed')}  ${colors.dim(log)}`,
  );
  const walked = entry.delivery ? verdictLines(entry.delivery).map((line) => `  ${line}`) : [];
  return [
    head,
    ...bars,
    ...migrations,
    ...walked,
    ...actsText(entry),
    ...(entry.reports ?? []).map((file) => `  report: ${file}`),
  ].join('\n');
}

function barOf({ spans }: Run, begin: number, total: number): string {
  const cell = (at: string): number =>
    Math.min(width - 1, Math.max(0, Math.floor(((Date.parse(at) - begin) / total) * width)));
  const paints = Array<(text: string) => string>(width).fill(idle);
  for (const { startedAt, endedAt, outcome } of spans)
    for (let at = cell(startedAt); at <= cell(endedAt); at++) paints[at] = outcome === 'done' ? work : failed;
  return paints.map((paint) => paint(paint === idle ? '·' : '█')).join('');
}

/** Those that say more than the bars: who, and why. */
function actsText({ acts = [] }: HistoryEntry): string[] {
  return acts.map(
    ({ verb, at, by, reason }) =>
      `  ${verb.padEnd(9)} by ${by}, ${when(at)}${reason === undefined ? '' : `: ${reason}`}`,
  );
}

export function historyCommand(): Command {
  return withCommonOptions(new Command('history'))
    .description(
      'One bar for each command of a release, on one scale, filled while it was at work; who ran it and why, its write pause, and what its migrations were.',
    )
    .addOption(new Option('-n, --number <n>', 'how many, newest last').default(5).argParser(whole))
    .action((options: CommonOptions & { readonly number: number }) =>
      withSession(options, async ({ platform, reporter }) => {
        const entries = (await platform.history.list()).slice(-options.number);
        reporter.result(entries, (shown) =>
          shown.length === 0 ? 'No release has ended yet.' : shown.map(timelineText).join('\n\n'),
        );
      }),
    );
}
