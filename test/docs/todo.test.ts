import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeFiles, document, root } from './sources.ts';

test('nothing is left as `npm run new` wrote it for its author', () => {
  const pages = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  const left = [...codeFiles('src'), ...pages].flatMap((file) =>
    document(file)
      .split('\n')
      .flatMap((line, at) => (line.includes('TODO: ') ? [`${file}:${at + 1} ${line.trim()}`] : [])),
  );
  expect(left, 'write what each of these lines asks for').toEqual([]);
});
