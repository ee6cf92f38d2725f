import { readdirSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { exitCodes } from '../../src/model/error-catalogue.ts';
import { document, root } from './sources.ts';

const text = document('docs/reference.md');

/** What every module of the command line makes; main.ts itself runs when it is imported. */
async function commands(): Promise<Command[]> {
  const found: Command[] = [];
  for (const name of readdirSync(path.join(root, 'src/cli')).filter(
    (file) => file.endsWith('.ts') && file !== 'main.ts',
  )) {
    const module = (await import(path.join(root, 'src/cli', name))) as Record<string, unknown>;
    for (const [key, value] of Object.entries(module))
      if (/Commands?$/.test(key) && typeof value === 'function') found.push(...[value() as Command | Command[]].flat());
  }
  return found;
}

test('every command and each of its options is named', async () => {
  const all = await commands();
  expect(all.map((command) => command.name())).toEqual(
    expect.arrayContaining(['create', 'status', 'seed', 'switch', 'rollback', 'drill', 'demo', 'lint', 'recover']),
  );
  for (const command of all) {
    expect(text, command.name()).toMatch(new RegExp(`^\\| \`${command.name()}(?: [^\`]+)?\` \\|`, 'm'));
    const row = text
      .split('\n')
      .filter((line) => line.includes(`\`${command.name()}`))
      .join('\n');
    for (const option of command.options) {
      const place = ['file', 'json'].includes(option.attributeName()) || command.name() === 'lint' ? text : row;
      expect(place, `${command.name()} ${option.long}`).toContain(`\`${option.long}`);
    }
  }
});

test('every exit code is there', () => {
  for (const code of [0, ...Object.values(exitCodes)]) expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
});
