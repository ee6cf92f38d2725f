import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

const widest = 160;

// prettier keeps code within 120 columns and leaves texts, templates and comments as they are.
test('no line of code is past 160 columns: what is longer is taken apart with names', () => {
  const files = ['src', 'stacks', 'policies', 'scripts'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[jt]s$/.test(name) && !name.includes('node_modules'))
      .map((name) => path.join(folder, name)),
  );
  expect(files.length).toBeGreaterThan(500);
  const wide = files.flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => ([...line].length > widest ? [`${file}:${index + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});
