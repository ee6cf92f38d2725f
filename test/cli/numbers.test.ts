import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { milliseconds, percent, percentage, share, whole } from '../../src/cli/numbers.ts';
import { loadCommand } from '../../src/cli/program.ts';
import { failure } from '../support/failure.ts';

test.each([
  [whole, ['1', '24'], [1, 24], ['0', '-1', '1.5', 'x', '', '1e99']],
  [percent, ['0', '50', '100'], [0, 50, 100], ['-1', '101', '0.5', '10%', '', ' ']],
  [share, ['10%', '0.1', '1', '100%'], [0.1, 0.1, 1, 1], ['0', '0%', '1.1', '101%', 'x', '', '%']],
  [percentage, ['0.5', '5', '100'], [0.5, 5, 100], ['0', '101', '5%', 'x', '']],
  [milliseconds, ['500ms', '3s', '10m'], [500, 3_000, 600_000], ['3', 's', '', '-1s', 'x']],
])('%o takes what it names, and says what it takes of anything else', (parser, taken, values, refused) => {
  expect(taken.map(parser)).toEqual(values);
  for (const text of refused) expect(() => parser(text), text).toThrow(InvalidArgumentError);
});

test.each([
  ['recover', '--gone', 'yes'],
  ['rehearse', '--rate', 'fast'],
  ['rehearse', '--max-lock', '500'],
  ['canary', '--weight', 'half'],
  ['mirror', '--share', '10%'],
])('%s %s %s is refused before anything is read', async (...words) => {
  const program = await loadCommand(words[0]);
  for (const each of [program, ...program.commands]) each.configureOutput({ writeErr: () => undefined });
  const { code } = await failure(program.parseAsync(words, { from: 'user' }));
  expect(code).toBe('commander.invalidArgument');
});
