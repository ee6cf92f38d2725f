import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import type { HistoryEntry } from '../platform/port/history.ts';
import { colors } from './colors.ts';
import { verdictLines } from './delivery-text.ts';
import { whole } from './numbers.ts';
import { when } from './when.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

const width = 48;

/** Draws a release: one bar a verb, from its first step to its last, on one scale. */
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
  const runs: { verb: string; from: number; to: number; failed: boolean }[] = [];
  for (const span of entry.spans) {
    const [from, to] = [Date.parse(span.startedAt) - begin, Date.parse(span.endedAt) - begin];
    const last = runs.at(-1);
    if (last?.verb === span.verb) {
      last.to = to;
      last.failed ||= span.outcome !== 'done';
    } else runs.push({ verb: span.verb, from, to, failed: span.outcome !== 'done' });
  }
  const bars = runs.map(({ verb, from, to, failed }) => {
    const start = Math.min(width - 1, Math.floor((Math.max(0, from) / total) * width));
    const length = Math.max(1, Math.min(width - start, Math.round(((to - from) / total) * width)));
    const bar = (failed ? colors.red : colors.cyan)('█'.repeat(length));
    return `  ${verb.padEnd(9)} ${colors.dim('·'.repeat(start))}${bar}${colors.dim('·'.repeat(width - start - length))} ${prettyMs(Math.max(0, to - from))}`;
  });
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
      'One bar for each verb of a release, on one scale; who ran it and why, its write pause, and what its migrations were.',
    )
    .addOption(new Option('-n, --number <n>', 'how many, newest last').default(5).argParser(whole))
    .action((options: CommonOptions & { readonly number: number }) =>
      withSession(options, async ({ platform, reporter }) => {
        const entries = (await platform.history.list()).slice(-options.number);
        reporter.result(
          entries,
          entries.length === 0 ? 'No release has ended yet.' : entries.map(timelineText).join('\n\n'),
        );
      }),
    );
}
