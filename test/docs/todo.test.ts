import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeFiles, document, root } from './sources.ts';

test('nothing is left as `npm run new` wrote it for its author', () => {
  const pages = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  expect([...codeFiles('src'), ...pages].filter((file) => document(file).includes('TODO: '))).toEqual([]);
});
