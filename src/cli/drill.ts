import { Command } from 'commander';
import { drillPartsText } from '../model/drill-parts.ts';
import { drill, type DrillReport } from '../operations/proofs/drill.ts';
import { describeVerdict } from '../workload/verdict.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

export function drillCommand(): Command {
  return withCommonOptions(new Command('drill'))
    .description(
      `Makes a candidate of the real environment, migrates and compares it and passes all gates of the switchover; then moves writes and back
under load on a throw-away pair of clones, and lets the oracle judge. Cleans everything up and writes a report.`,
    )
    .action((options: CommonOptions) =>
      withSession(options, async ({ environment, platform, reporter, emit, signal }) => {
        const { report, where } = await drill({
          environment,
          platform,
          emit,
          signal,
        });
        reporter.result({ ...report, where }, (shown) => drillText(shown, shown.where));
      }),
    );
}

function drillText({ proved, pauseMs, verdict, seconds }: DrillReport, where: string): string {
  return [
    '',
    `The drill passed: ${drillPartsText(proved)}.`,
    `write pauses on the clones: ${pauseMs.map((ms) => `${ms} ms`).join(' and ')}`,
    ...describeVerdict(verdict).split('\n'),
    `${Math.round(seconds)} s in all; report: ${where}`,
  ].join('\n');
}
