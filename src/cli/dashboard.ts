import { Command } from 'commander';
import { grantReader } from '../operations/reads/grant-reader.ts';
import { listenOption, type Address } from './address.ts';
import { defaultFile } from './default-file.ts';
import { withReporter, withSession } from './session.ts';
import { subjectOf } from './subjects.ts';

interface DashboardOptions {
  readonly file: readonly string[];
  readonly json?: boolean;
  readonly listen: Address;
  readonly grant?: boolean;
}

export function dashboardCommand(): Command {
  return new Command('dashboard')
    .description(
      'Serves pages for people and the same as JSON, until it is ended. It asks the servers as verdigris_reader, which can only read.\n' +
        'There is no login: on another address than loopback, put it behind one.',
    )
    .option('-f, --file <path...>', 'declarations of the environments', [defaultFile])
    .option('--json', 'events as JSON lines')
    .addOption(listenOption('where', { host: '127.0.0.1', port: 9465 }))
    .option(
      '--grant',
      'as the operator: make verdigris_reader, and leave its password where this command finds it; then end',
    )
    .action((options: DashboardOptions) => (options.grant ? grant(options) : serve(options)));
}

async function grant({ file: files, json }: DashboardOptions): Promise<void> {
  for (const file of files)
    await withSession(
      { file, ...(json === undefined ? {} : { json }) },
      async ({ environment, platform, reporter }) => {
        const granted = await grantReader(environment, platform);
        reporter.result(
          granted,
          ({ colours, password }) =>
            `${environment.name}: verdigris_reader is on ${colours.join(' and ')}; ${password}`,
        );
      },
    );
}

async function serve({ file: files, json, listen }: DashboardOptions): Promise<void> {
  await withReporter({ json }, async (reporter, signal) => {
    // Loaded only here: no other command needs what it brings along.
    const { Watcher } = await import('../observe/dashboard/watcher.ts');
    const { serveDashboard } = await import('../observe/dashboard/server.ts');
    const subjects = await Promise.all(files.map(subjectOf));
    try {
      await serveDashboard(
        subjects.map(({ name, open }) => new Watcher(name, open)),
        {
          ...listen,
          signal,
          onListening: (port) => reporter.event({ type: 'note', text: `dashboard at http://${listen.host}:${port}/` }),
        },
      );
    } finally {
      for (const { close } of subjects) await close();
    }
  });
}
