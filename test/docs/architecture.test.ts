import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { document, root } from './sources.ts';

test.each(['docs/architecture.md', 'CONTRIBUTING.md'])('every file and folder that %s names is there', (page) => {
  const named = [...document(page).matchAll(/\b(?:src|test|stacks|policies|examples|docs)\/[\w./-]*[\w/-]/g)].map(
    ([name]) => name,
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !name.endsWith('/') && !existsSync(path.join(root, name)))).toEqual([]);
});
