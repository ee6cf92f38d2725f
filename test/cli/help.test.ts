import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { sources } from '../../src/cli/commands.ts';
import { loadCommand, loadProgram } from '../../src/cli/program.ts';
import { summaries } from '../../src/cli/summaries.ts';

const program = await loadProgram();

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

test('the help groups the commands by what they are for', async () => {
  const headings = [...helpOf(await loadCommand(undefined)).matchAll(/^(\S.*):\n {2}/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    'Options',
    'A release',
    'Migrations',
    'Look',
    'Credentials',
    'After a failure',
    'Prove',
    'This machine',
  ]);
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

test('each command is loaded by its own name, and no source makes one of another name', async () => {
  for (const { names, load } of sources) {
    expect((await load(loadProgram)).map((command) => command.name())).toEqual(names);
    expect((await loadCommand(names[0])).commands.map((command) => command.name())).toEqual(names);
  }
});

test('the help of all lists every command once, each with its line, without loading one', async () => {
  const overview = await loadCommand(undefined);
  expect(overview.commands.map((command) => command.name())).toEqual(sources.flatMap(({ names }) => names));
  expect(Object.keys(summaries).sort()).toEqual(sources.flatMap(({ names }) => names).sort());
  const text = helpOf(overview);
  for (const [name, summary] of Object.entries(summaries))
    expect(text.replaceAll(/\s+/g, ' '), name).toContain(` ${name} ${summary}`);
});

test('every command says in a line what it does, and more below', () => {
  for (const command of program.commands.filter((each) => each.name() !== 'help')) {
    expect(command.summary(), command.name()).not.toBe('');
    expect(command.description(), command.name()).not.toBe('');
  }
});
