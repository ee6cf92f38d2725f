import { Command } from 'commander';
import { listenOption, type Address } from './address.ts';
import { withCommonOptions, withReporter, type CommonOptions } from './session.ts';
import { subjectOf } from './subjects.ts';

export function flagsCommand(): Command {
  return withCommonOptions(new Command('flags'))
    .description(
      'Serves the OpenFeature remote evaluation protocol until it is ended. It asks the servers as verdigris_reader, which can only read.',
    )
    .addOption(listenOption('where', { host: '127.0.0.1', port: 9466 }))
    .action(({ file, json, listen }: CommonOptions & { readonly listen: Address }) =>
      withReporter({ json }, async (reporter, signal) => {
        // Loaded only here: no other command needs what it brings along.
        const { Facts } = await import('../observe/flags/facts.ts');
        const { serveFlags } = await import('../observe/flags/server.ts');
        const { open, close } = await subjectOf(file);
        try {
          await serveFlags(new Facts(open), {
            ...listen,
            signal,
            onListening: (port) => reporter.event({ type: 'note', text: `flags at http://${listen.host}:${port}` }),
          });
        } finally {
          await close();
        }
      }),
    );
}
