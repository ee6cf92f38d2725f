import { Command } from 'commander';
import { harmless } from '../model/harmless.ts';
import { version } from '../model/version.ts';
import { sources, type CommandSource } from './commands.ts';
import { summaries } from './summaries.ts';

/** Columns of the help, also in a wider terminal. */
const widest = 100;

/** The program with every command. */
export async function loadProgram(): Promise<Command> {
  return withCommands(emptyProgram(), sources);
}

/** The program with the command of this name; where there is none, with no more than the names and what each does. */
export async function loadCommand(asked: string | undefined): Promise<Command> {
  const one = sources.filter(({ names }) => names.some((name) => name === asked));
  const program = emptyProgram();
  if (one.length > 0) return withCommands(program, one);
  for (const { group, names } of sources)
    for (const name of names) program.command(name).summary(summaries[name]).helpGroup(group);
  return withHelp(program).addHelpText('after', await inShort());
}

export function isCommand(asked: string | undefined): boolean {
  return asked !== undefined && Object.hasOwn(summaries, asked);
}

function emptyProgram(): Command {
  return new Command('verdigris')
    .description('Blue-green environment manager for PostgreSQL.')
    .version(version)
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      outputError: (text, write) => write(harmless(text)),
      getOutHelpWidth: helpWidth,
    });
}

async function withCommands(program: Command, all: readonly CommandSource[]): Promise<Command> {
  for (const { group, names, load } of all)
    for (const [index, command] of (await load(loadProgram)).entries()) {
      const name = names[index];
      if (name === undefined) throw new Error(`src/cli/commands.ts does not name ${command.name()}.`);
      program.addCommand(adopt(command, program).summary(summaries[name]).helpGroup(group));
    }
  return withHelp(program);
}

/** Last, so that it is the last of its group. */
function withHelp(program: Command): Command {
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
