import { Command } from 'commander';
import { count } from '../model/count.ts';
import { listEnvironments, type Listed } from '../operations/reads/list.ts';
import { colors } from './colors.ts';
import { table } from './table.ts';
import { withReporter } from './session.ts';

export function listCommand(): Command {
  return new Command('list')
    .description(
      'One line each: state, live colour, release, address, and the worst of what is not as the state ' +
        'promises. Of a cluster the journals are read, no database is asked.',
    )
    .option('--no-cluster', 'do not ask the cluster')
    .option('--json', 'the result as a JSON line')
    .action((options: { readonly cluster: boolean; readonly json?: boolean }) =>
      withReporter(options, async (reporter) => {
        const { environments, notes } = await listEnvironments(options.cluster);
        for (const text of notes) reporter.event({ type: 'note', text });
        reporter.result(environments, listText);
      }),
    );
}

function listText(environments: readonly Listed[]): string {
  if (environments.length === 0)
    return 'There is no environment here. `verdigris init` and `verdigris create` make one.';
  return table(
    ['environment', 'where', 'state', 'live', 'release', 'address', 'not as it should be'],
    environments.map(({ name, where, state, live, release, address, troubles, error }) => [
      colors.bold(name),
      where,
      state ?? '?',
      live ?? '?',
      release ?? '?',
      address ?? '–',
      troublesText(troubles, error),
    ]),
  );
}

function troublesText(troubles: Listed['troubles'], error: string | undefined): string {
  if (error !== undefined) return colors.red(error);
  if (troubles === undefined) return '?';
  const [worst] = troubles;
  return worst ? colors.red(`${count(troubles.length, 'point')}: ${worst}`) : '–';
}
