import { Command, CommanderError } from 'commander';
import { version } from '../model/version.ts';
import { backfillCommand } from './backfill.ts';
import { createCommand, destroyCommand, recoverCliCommand, startCommand } from './lifecycle.ts';
import { demoCommand } from './demo.ts';
import { drillCommand } from './drill.ts';
import { expandContractCommand } from './expand-contract.ts';
import { explainCommand } from './explain.ts';
import { historyCommand } from './history.ts';
import { importLostCommand } from './import-lost.ts';
import { lintCommand } from './lint.ts';
import { metricsCommand } from './metrics.ts';
import { outliveReaders } from './outlive.ts';
import { planCommand } from './plan.ts';
import { preflightCommand } from './preflight.ts';
import { rehearseCommand } from './rehearse.ts';
import { statusCommand } from './status.ts';
import { testCommand } from './test.ts';
import { upCommand } from './up.ts';
import { releaseCommand, verbCommands } from './verbs.ts';

const program = new Command('verdigris')
  .description('Blue-green environment manager for PostgreSQL.')
  .version(version)
  .addHelpText(
    'after',
    `
A release:  preflight → seed → migrate → verify → canary → switch → retire
            abandon leaves it before the switch; rollback goes back after it.

Exit codes: 0 done, 1 a step failed, 2 usage, 3 declaration, 4 refused by a gate,
            5 somebody else is at work, 6 consent to a loss is missing, 130 interrupted.`,
  )
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) });

const all = [
  createCommand(),
  startCommand(),
  statusCommand(),
  planCommand(),
  preflightCommand(),
  ...verbCommands(),
  releaseCommand(),
  upCommand(),
  recoverCliCommand(),
  importLostCommand(),
  drillCommand(),
  metricsCommand(),
  historyCommand(),
  rehearseCommand(),
  lintCommand(),
  explainCommand(),
  backfillCommand(),
  testCommand(),
  expandContractCommand(),
  demoCommand(),
  destroyCommand(),
];
for (const command of all) program.addCommand(command.exitOverride());

outliveReaders();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
