import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import { listenOption, type Address } from './address.ts';
import { withCommonOptions, withReporter, type CommonOptions } from './session.ts';

export function routerCommand(): Command {
  return withCommonOptions(new Command('router'))
    .description(
      'Runs a router for traffic.kind routers, until it is ended: it takes clients, and follows what is written beside the journal. ' +
        'Without a sight of that it lets nobody begin anything after traffic.trustFor, and refuses clients traffic.holdFor later.',
    )
    .addOption(listenOption('where it takes clients', { host: '127.0.0.1', port: 5432 }))
    .option(
      '--id <text>',
      'its name, unlike that of any other router of the environment; host name and port where left out',
    )
    .action((options: CommonOptions & { readonly listen: Address; readonly id?: string }) =>
      withReporter(options, async (_, signal) => {
        // Loaded only here: no other command needs what they bring along.
        const [{ loadEnvironment }, { followRoute }, { defaultHome }] = await Promise.all([
          import('./declaration.ts'),
          import('../platform/local/follow.ts'),
          import('../platform/home.ts'),
        ]);
        const { environment } = await loadEnvironment(options.file);
        if (environment.traffic?.kind !== 'routers') throw noRouters(environment.traffic?.kind);
        await followRoute(environment, { listen: options.listen, id: options.id, home: defaultHome(), signal });
      }),
    );
}

function noRouters(kind = 'none'): VerdigrisError {
  return new VerdigrisError('no-routers', {
    seen: `The declaration has traffic.kind ${kind}.`,
    required: 'traffic.kind routers, for routers that follow the journal.',
    next: 'declare it (docs/traffic.md), or use `verdigris start`, which starts the one router of an environment by itself.',
  });
}
