import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/** Calls that open a session, with the word by which pg_stat_activity knows it. */
const opening = /\bwith(?:OwnSession|Client|ReplicationSession)\s*\([^;]{0,200}?[,\s]\s*'([a-z-]+)',/g;

test('every word by which a session of Verdigris is known is in docs/security.md', async () => {
  const files = (await readdir(path.join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const words = new Set<string>();
  for (const file of files) {
    const text = await readFile(path.join(root, 'src', file), 'utf8');
    for (const [, word = ''] of text.matchAll(opening)) words.add(word);
  }
  expect(words.size).toBeGreaterThan(25);
  const page = await readFile(path.join(root, 'docs/security.md'), 'utf8');
  expect([...words].filter((word) => !page.includes(`\`${word}\``)).sort()).toEqual([]);
});

test('each answer to a threat in docs/security.md has a test, and the test is there', async () => {
  const page = await readFile(path.join(root, 'docs/security.md'), 'utf8');
  const section = page.slice(page.indexOf('## Threat, answer, test'), page.indexOf('## What is not protected'));
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| threat'));
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) {
    const named =
      line
        .split(' | ')
        .at(-1)
        ?.match(/test\/[\w./-]+/g) ?? [];
    expect(named, line).not.toEqual([]);
    expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  }
});
