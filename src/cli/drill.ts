import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { drill, type DrillReport } from '../operations/drill.ts';
import { cloneEnvironment } from '../platform/local/clone.ts';
import { describeVerdict } from '../workload/verdict.ts';
import { withCommonOptions, withLocalSession, type CommonOptions } from './session.ts';

export function drillCommand(): Command {
  return withCommonOptions(new Command('drill'))
    .summary('prove that a release and its rollback would work today; the live colour serves on')
    .description(`Makes a candidate of the real environment, migrates and compares it and passes all gates of the switchover; then moves writes and back
under load on a throw-away pair of clones, and lets the oracle judge. Cleans everything up and writes a report.`)
    .action((options: CommonOptions) =>
      withLocalSession(options, async ({ environment, platform, reporter, signal }) => {
        const parts = { environment, platform, emit: (event: Parameters<typeof reporter.event>[0]) => reporter.event(event), signal };
        const report = await drill(parts, () => cloneEnvironment(environment, platform, signal));
        const file = await platform.exportFile(`drill-${report.startedAt.replaceAll(':', '')}.json`);
        await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
        reporter.result({ ...report, file }, drillText(report, file));
      }),
    );
}

function drillText({ proved, pausesMs, verdict, seconds }: DrillReport, file: string): string {
  return [
    '',
    `The drill held: ${proved.join(', ')}.`,
    `write pauses on the clones: ${pausesMs.map((ms) => `${ms} ms`).join(' and ')}`,
    ...describeVerdict(verdict).split('\n'),
    `${Math.round(seconds)} s in all; report: ${file}`,
  ].join('\n');
}
