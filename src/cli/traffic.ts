import { Command } from 'commander';
import { withOperator } from '../operations/operator.ts';
import { tryTraffic } from '../operations/proofs/try-traffic.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';
import { table } from './table.ts';

export function trafficCommand(): Command {
  const traffic = new Command('traffic').description("The clients' path.");
  traffic.addCommand(
    withCommonOptions(new Command('test'))
      .description(
        'Holds the clients for a moment, asks past the hold who answers, leads everybody where they are led already, and lets ' +
          'them go; twice each is asked what must be safe twice. Says how long each took.',
      )
      .action((options: CommonOptions) =>
        withSession(options, async ({ environment, platform, reporter, emit, signal }) => {
          const steps = await withOperator({ environment, platform, emit, signal }, 'traffic', tryTraffic);
          reporter.result({ steps }, (shown) =>
            table(
              ['asked', 'took'],
              shown.steps.map(({ asked, ms }) => [asked, `${ms} ms`]),
            ),
          );
        }),
      ),
  );
  return traffic;
}
