import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeFiles, root } from './sources.ts';

/** Prettier keeps code within this. What it cannot cut are texts, templates and patterns. */
const width = 120;
/** Further than this nobody reads: a text is joined from two, or what it is made of gets names. */
const widest = 160;
/** How many of a hundred lines may be past `width`: few more than there are. */
const most = 1.5;

const files = ['src', 'test', 'scripts', 'stacks', 'policies'].flatMap(codeFiles);
const lines = files.flatMap((file) =>
  readFileSync(path.join(root, file), 'utf8')
    .split('\n')
    .map((line, index) => ({ at: `${file}:${index + 1}`, columns: [...line].length })),
);

test('no line of code is past 160 columns', () => {
  expect(files.length).toBeGreaterThan(1_000);
  const long = lines.filter(({ columns }) => columns > widest).map(({ at }) => at);
  expect(long, 'join a text from two, or name what it is made of').toEqual([]);
});

test('lines past 120 columns do not become more', () => {
  const wide = lines.filter(({ columns }) => columns > width);
  expect((100 * wide.length) / lines.length, `${wide.length} of ${lines.length} lines`).toBeLessThanOrEqual(most);
});
