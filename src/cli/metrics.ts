import { Command, InvalidArgumentError, Option } from 'commander';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

export function metricsCommand(): Command {
  return withCommonOptions(new Command('metrics'))
    .summary('print metrics for Prometheus: state, lag, retained WAL, holds, drills')
    .description(
      'Prints the metrics once, in Prometheus’ text format; with --listen serves them at /metrics until it is ended. Reads only.',
    )
    .addOption(new Option('--listen <host:port>', 'serve them there').argParser(address))
    .action((options: CommonOptions & { readonly listen?: Address }) =>
      withSession(options, async ({ environment, platform, reporter, signal }) => {
        // Loaded only here: no other command needs what it brings along.
        const { metricsText, serveMetrics } = await import('../observe/exporter.ts');
        if (options.listen) {
          await serveMetrics(environment, platform, {
            ...options.listen,
            signal,
            onListening: (port) => reporter.event({ type: 'note', text: `metrics at port ${port}` }),
          });
          return;
        }
        const { text } = await metricsText(environment, platform);
        reporter.result({ metrics: text }, text.trimEnd());
      }),
    );
}

function address(text: string): Address {
  const [, host = '', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) throw new InvalidArgumentError('host:port, or a port of 127.0.0.1');
  return { host: host === '' ? '127.0.0.1' : host, port: Number(port) };
}
