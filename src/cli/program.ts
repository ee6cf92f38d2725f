import { Command } from 'commander';
import { version } from '../model/version.ts';
import { backfillCommand } from './backfill.ts';
import { createCommand, destroyCommand, recoverCliCommand, startCommand } from './lifecycle.ts';
import { demoCommand } from './demo.ts';
import { dashboardCommand } from './dashboard.ts';
import { drillCommand } from './drill.ts';
import { expandContractCommand } from './expand-contract.ts';
import { explainCommand } from './explain.ts';
import { historyCommand } from './history.ts';
import { importLostCommand } from './import-lost.ts';
import { lintCommand } from './lint.ts';
import { metricsCommand } from './metrics.ts';
import { planCommand } from './plan.ts';
import { preflightCommand } from './preflight.ts';
import { rehearseCommand } from './rehearse.ts';
import { statusCommand } from './status.ts';
import { testCommand } from './test.ts';
import { upCommand } from './up.ts';
import { releaseCommand, verbCommands } from './verbs.ts';

/** Columns of the help, also in a wider terminal. */
const widest = 100;

export const program = new Command('verdigris')
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
  .configureOutput({
    outputError: (text, write) => write(text),
    getOutHelpWidth: () => Math.min(widest, process.stdout.columns || widest),
  });

const groups: Readonly<Record<string, readonly Command[]>> = {
  'A release:': [planCommand(), preflightCommand(), ...verbCommands(), releaseCommand(), upCommand()],
  'Migrations:': [lintCommand(), rehearseCommand(), backfillCommand(), testCommand(), expandContractCommand()],
  'Look:': [statusCommand(), historyCommand(), metricsCommand(), dashboardCommand(), explainCommand()],
  'After a failure:': [recoverCliCommand(), importLostCommand()],
  'Prove:': [drillCommand(), demoCommand()],
  'This machine:': [createCommand(), startCommand(), destroyCommand()],
};

/** With the settings of the program, also for the commands of a command. */
function adopt(command: Command): Command {
  for (const each of command.commands) adopt(each);
  return command.copyInheritedSettings(program);
}

for (const [group, commands] of Object.entries(groups))
  for (const command of commands) program.addCommand(adopt(command).helpGroup(group));
program.commandsGroup('Look:').helpCommand('help [command]', 'show the help of a command');
