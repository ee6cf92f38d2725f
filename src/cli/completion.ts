import { Argument, Command } from 'commander';
import { bashScript, fishScript, zshScript, type Completed } from './completion-scripts.ts';

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** `all`: the program with every command. */
export function completionCommand(all: () => Promise<Command>): Command {
  return new Command('completion')
    .description(
      'bash:  verdigris completion bash > ~/.local/share/bash-completion/completions/verdigris\n' +
        'zsh:   verdigris completion zsh > a folder of your fpath, as _verdigris\n' +
        'fish:  verdigris completion fish > ~/.config/fish/completions/verdigris.fish',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
    .action(async (shell: keyof typeof shells) => {
      process.stdout.write(shells[shell]((await all()).commands.flatMap((command) => completed(command, []))));
    });
}

/** A command and the commands below it, by the words that lead to each. */
function completed(command: Command, above: readonly string[]): Completed[] {
  const words = [...above, command.name()];
  return [
    {
      words,
      summary: command.summary(),
      commands: command.commands.map((each) => ({ name: each.name(), summary: each.summary() })),
      values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      options: command.options.flatMap(({ short, long, description, argChoices, required, optional }) =>
        long === undefined
          ? []
          : [{ long, short, summary: description, values: argChoices ?? [], takes: required || optional }],
      ),
    },
    ...command.commands.flatMap((each) => completed(each, words)),
  ];
}
