import { Command } from 'commander';
import { listenOption, type Address } from './address.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

export function metricsCommand(): Command {
  return withCommonOptions(new Command('metrics'))
    .description(
      "Prints the metrics once, in Prometheus' text format; with --listen serves them at /metrics until it is ended. Reads only.",
    )
    .addOption(listenOption('serve them there'))
    .action((options: CommonOptions & { readonly listen?: Address }) =>
      withSession(options, async ({ environment, platform, reporter, signal }) => {
        // Loaded only here: no other command needs what it brings along.
        const { metricsText, serveMetrics } = await import('../observe/exporter.ts');
        const { readingPlatform } = await import('../observe/reading.ts');
        const reading = readingPlatform(platform, 'as operator');
        if (options.listen) {
          await serveMetrics(environment, reading, {
            ...options.listen,
            signal,
            onListening: (port) => reporter.event({ type: 'note', text: `metrics at port ${port}` }),
          });
          return;
        }
        const { text } = await metricsText(environment, reading);
        reporter.result({ metrics: text }, () => text.trimEnd());
      }),
    );
}
