import { expect, test } from 'vitest';
import { exitCodes } from '../../src/model/error-catalogue.ts';
import { loadProgram } from '../../src/cli/program.ts';
import { document } from './sources.ts';

const program = await loadProgram();
const text = document('docs/reference.md');

test('every command and each of its options is named', () => {
  const all = program.commands;
  expect(all.map((command) => command.name())).toEqual(
    expect.arrayContaining(['create', 'status', 'seed', 'switch', 'rollback', 'drill', 'demo', 'lint', 'recover']),
  );
  for (const command of all) {
    const named = new RegExp(`^\\| \`${command.name()}(?: [^\`]+)?\` \\|`, 'm').test(text);
    expect(named, `a row of ${command.name()} in docs/reference.md`).toBe(true);
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
