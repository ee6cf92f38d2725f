import { Command } from 'commander';
import { drill, type DrillClone, type DrillReport } from '../operations/drill.ts';
import { LocalPlatform } from '../platform/local/platform.ts';
import { describeVerdict } from '../workload/verdict.ts';
import { withCommonOptions, withSession, type CommonOptions, type Session } from './session.ts';

export function drillCommand(): Command {
  return withCommonOptions(new Command('drill'))
    .summary('prove that a release and its rollback would work today; the live colour serves on')
    .description(`Makes a candidate of the real environment, migrates and compares it and passes all gates of the switchover; then moves writes and back
under load on a throw-away pair of clones, and lets the oracle judge. Cleans everything up and writes a report.`)
    .action((options: CommonOptions) =>
      withSession(options, async (session) => {
        const { environment, platform, reporter, signal } = session;
        const { report, where } = await drill({ environment, platform, emit: (event) => reporter.event(event), signal }, () => clone(session));
        reporter.result({ ...report, where }, drillText(report, where));
      }),
    );
}

/** Each platform's way is loaded only where it is gone. */
async function clone({ environment, platform, signal }: Session): Promise<DrillClone> {
  if (platform instanceof LocalPlatform) return (await import('../platform/local/clone.ts')).cloneEnvironment(environment, platform, signal);
  const [{ cloneKubernetes }, { KubernetesPlatform }] = await Promise.all([import('../platform/kubernetes/clone.ts'), import('../platform/kubernetes/platform.ts')]);
  if (platform instanceof KubernetesPlatform) return cloneKubernetes(environment, platform, signal);
  throw new Error(`there is no platform ${platform.kind}`);
}

function drillText({ proved, pausesMs, verdict, seconds }: DrillReport, where: string): string {
  return [
    '',
    `The drill held: ${proved.join(', ')}.`,
    `write pauses on the clones: ${pausesMs.map((ms) => `${ms} ms`).join(' and ')}`,
    ...describeVerdict(verdict).split('\n'),
    `${Math.round(seconds)} s in all; report: ${where}`,
  ].join('\n');
}
