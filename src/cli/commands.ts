import type { Command } from 'commander';
import { verbs } from '../model/transitions.ts';
import type { summaries } from './summaries.ts';

/** Where the commands of these names come from: loaded only once one of them is asked for. */
export interface CommandSource {
  readonly group: string;
  readonly names: readonly (keyof typeof summaries)[];
  /** `all`: the program with every command. */
  readonly load: (all: () => Promise<Command>) => Promise<readonly Command[]>;
}

/** In the order of the help. */
export const sources: readonly CommandSource[] = [
  {
    group: 'A release:',
    names: ['plan'],
    load: async () => [(await import('./plan.ts')).planCommand()],
  },
  {
    group: 'A release:',
    names: ['preflight'],
    load: async () => [(await import('./preflight.ts')).preflightCommand()],
  },
  {
    group: 'A release:',
    names: verbs,
    load: async () => (await import('./verbs.ts')).verbCommands(),
  },
  {
    group: 'A release:',
    names: ['release'],
    load: async () => [(await import('./release.ts')).releaseCommand()],
  },
  {
    group: 'A release:',
    names: ['fleet'],
    load: async () => [(await import('./fleet/command.ts')).fleetCommand()],
  },
  {
    group: 'A release:',
    names: ['approve', 'hold', 'resume'],
    load: async () => (await import('./delivery.ts')).deliveryCommands(),
  },
  {
    group: 'A release:',
    names: ['up'],
    load: async () => [(await import('./up.ts')).upCommand()],
  },
  {
    group: 'Migrations:',
    names: ['lint'],
    load: async () => [(await import('./lint.ts')).lintCommand()],
  },
  {
    group: 'Migrations:',
    names: ['rehearse'],
    load: async () => [(await import('./rehearse.ts')).rehearseCommand()],
  },
  {
    group: 'Migrations:',
    names: ['backfill'],
    load: async () => [(await import('./backfill.ts')).backfillCommand()],
  },
  {
    group: 'Migrations:',
    names: ['test'],
    load: async () => [(await import('./test.ts')).testCommand()],
  },
  {
    group: 'Migrations:',
    names: ['expand-contract'],
    load: async () => [(await import('./expand-contract.ts')).expandContractCommand()],
  },
  {
    group: 'Look:',
    names: ['status'],
    load: async () => [(await import('./status.ts')).statusCommand()],
  },
  {
    group: 'Look:',
    names: ['list'],
    load: async () => [(await import('./list.ts')).listCommand()],
  },
  {
    group: 'Look:',
    names: ['history'],
    load: async () => [(await import('./history.ts')).historyCommand()],
  },
  {
    group: 'Look:',
    names: ['report'],
    load: async () => [(await import('./report.ts')).reportCommand()],
  },
  {
    group: 'Look:',
    names: ['logs'],
    load: async () => [(await import('./logs.ts')).logsCommand()],
  },
  {
    group: 'Look:',
    names: ['psql'],
    load: async () => [(await import('./psql.ts')).psqlCommand()],
  },
  {
    group: 'Look:',
    names: ['metrics'],
    load: async () => [(await import('./metrics.ts')).metricsCommand()],
  },
  {
    group: 'Look:',
    names: ['dashboard'],
    load: async () => [(await import('./dashboard.ts')).dashboardCommand()],
  },
  {
    group: 'Look:',
    names: ['flags'],
    load: async () => [(await import('./flags.ts')).flagsCommand()],
  },
  {
    group: 'A release:',
    names: ['approvals'],
    load: async () => [(await import('./approvals.ts')).approvalsCommand()],
  },
  {
    group: 'Look:',
    names: ['mirror'],
    load: async () => [(await import('./mirror.ts')).mirrorCommand()],
  },
  {
    group: 'A release:',
    names: ['traffic'],
    load: async () => [(await import('./traffic.ts')).trafficCommand()],
  },
  {
    group: 'Look:',
    names: ['explain'],
    load: async () => [(await import('./explain.ts')).explainCommand()],
  },
  {
    group: 'Credentials:',
    names: ['rotate'],
    load: async () => [(await import('./rotate.ts')).rotateCommand()],
  },
  {
    group: 'After a failure:',
    names: ['recover'],
    load: async () => [(await import('./lifecycle.ts')).recoverCliCommand()],
  },
  {
    group: 'After a failure:',
    names: ['import-lost'],
    load: async () => [(await import('./import-lost.ts')).importLostCommand()],
  },
  {
    group: 'After a failure:',
    names: ['archives'],
    load: async () => [(await import('./archives.ts')).archivesCommand()],
  },
  {
    group: 'After a failure:',
    names: ['doctor'],
    load: async () => [(await import('./doctor.ts')).doctorCommand()],
  },
  {
    group: 'Prove:',
    names: ['drill'],
    load: async () => [(await import('./drill.ts')).drillCommand()],
  },
  {
    group: 'Prove:',
    names: ['demo'],
    load: async () => [(await import('./demo.ts')).demoCommand()],
  },
  {
    group: 'This machine:',
    names: ['init'],
    load: async () => [(await import('./init.ts')).initCommand()],
  },
  {
    group: 'This machine:',
    names: ['create', 'start', 'destroy'],
    load: async () => {
      const { createCommand, startCommand, destroyCommand } = await import('./lifecycle.ts');
      return [createCommand(), startCommand(), destroyCommand()];
    },
  },
  {
    group: 'This machine:',
    names: ['router'],
    load: async () => [(await import('./router.ts')).routerCommand()],
  },
  {
    group: 'This machine:',
    names: ['completion'],
    load: async (all) => [(await import('./completion.ts')).completionCommand(all)],
  },
];
