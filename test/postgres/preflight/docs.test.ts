import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findingIds } from '../../../src/postgres/preflight/index.ts';

test('every finding of preflight has its section in docs/findings.md', async () => {
  const text = await readFile(new URL('../../../docs/findings.md', import.meta.url), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  const titles = sections.map((section) => section.split('\n')[0]);
  expect(new Set(titles).size).toBe(titles.length);
  expect(Object.keys(findingIds).filter((id) => !titles.includes(id))).toEqual([]);
  for (const section of sections) expect(section).toMatch(/\*\*Why it hurts\.\*\* .+\n\n\*\*What to do\.\*\* .+/);
});
