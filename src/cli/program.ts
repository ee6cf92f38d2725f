import { Command } from 'commander';
import { version } from '../model/version.ts';
import { sources } from './commands.ts';

/** Columns of the help, also in a wider terminal. */
const widest = 100;

/** The program with the command of this name, where there is one, else with all of them. */
export async function loadProgram(asked?: string): Promise<Command> {
  const program = new Command('verdigris')
    .description('Blue-green environment manager for PostgreSQL.')
    .version(version)
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      outputError: (text, write) => write(text),
      getOutHelpWidth: helpWidth,
    });
  const one = sources.filter(({ names }) => asked !== undefined && names.includes(asked));
  if (one.length === 0) program.addHelpText('after', await inShort());
  for (const { group, load } of one.length > 0 ? one : sources)
    for (const command of await load(loadProgram)) program.addCommand(adopt(command, program).helpGroup(group));
  return program.commandsGroup('Look:').helpCommand('help [command]', 'show the help of a command');
}

/** What a release goes through, and the exit codes. */
async function inShort(): Promise<string> {
  const { wrapText } = await import('./wrap.ts');
  const text = `A release:  preflight → seed → migrate → verify → canary → switch → retire
            abandon leaves it before the switch; rollback goes back after it.

Exit codes:  0 done, 1 a step failed, 2 usage, 3 declaration, 4 refused by a gate,
             5 somebody else is at work, 6 consent to a loss is missing, 130 interrupted.`;
  return `\n${wrapText(text, helpWidth())}`;
}

function helpWidth(): number {
  return Math.min(widest, process.stdout.columns || widest);
}

/** With the settings of the program, also for the commands of a command. */
function adopt(command: Command, program: Command): Command {
  for (const each of command.commands) adopt(each, program);
  return command.copyInheritedSettings(program);
}
