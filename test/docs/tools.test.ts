import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { document } from './sources.ts';

const tests = ['tools.ts', 'go/go.mod']
  .map((name) => readFileSync(path.join(import.meta.dirname, '../migrations/tools', name), 'utf8'))
  .join('\n');

/** Rows of the two tables of tools: what a row says of a version, with the tool's name. */
const said = document('docs/migrations.md')
  .split('\n')
  .filter((line) => /^\| .*\d+\.\d+\.\d+/.test(line))
  .flatMap((line) => {
    const [engine = '', ...cells] = line.split(' | ').map((cell) => cell.replaceAll(/^\| |[`|]/g, '').trim());
    return [...(cells.at(-1) ?? '').matchAll(/(?:([A-Z]\w+) )?(\d+\.\d+\.\d+)/g)].map(
      ([, name = engine, version = '']) => ({
        name,
        version,
      }),
    );
  });

test('the versions in the tables of migrations.md are those that the tests fetch', () => {
  expect(said.length).toBeGreaterThan(12);
  const untested = said.filter(
    ({ name, version }) =>
      !new RegExp(`${name}[\\w/-]*?[-@= :]+v?${version.replaceAll('.', '\\.')}(?!\\d)`, 'i').test(tests),
  );
  expect(untested).toEqual([]);
});
