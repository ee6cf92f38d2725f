import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { program } from '../../src/cli/program.ts';

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

test('the help groups the commands by what they are for', () => {
  const headings = [...helpOf(program).matchAll(/^(\S.*):\n {2}/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(['Options', 'A release', 'Migrations', 'Look', 'After a failure', 'Prove', 'This machine']);
});

test('no line of any help is wider than 100 columns', () => {
  const all = everyCommand(program);
  expect(all.length).toBeGreaterThan(30);
  const wide = all.flatMap((command) =>
    helpOf(command)
      .split('\n')
      .filter((line) => line.length > 100)
      .map((line) => `${command.name()}: ${line}`),
  );
  expect(wide).toEqual([]);
});
