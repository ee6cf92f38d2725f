import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { rulePage } from '../../../src/migrations/lint/page.ts';
import { parseLintConfig } from '../../../src/migrations/lint/config-schema.ts';
import { ruleIds, lintRules } from '../../../src/migrations/lint/rules/index.ts';

const folder = path.join(import.meta.dirname, '../../../docs/lint');

test('no page is left of a rule that is gone', async () => {
  const pages = (await readdir(folder)).filter((name) => name !== 'README.md').map((name) => name.replace(/\.md$/, ''));
  expect(pages.filter((page) => !ruleIds.includes(page))).toEqual([]);
});

test.each(lintRules)('the page of $id says what the rule says', async (rule) => {
  // `vitest run test/migrations/lint/docs.test.ts -u` writes the pages again; one that is missing fails where CI is set.
  await expect(rulePage(rule)).toMatchFileSnapshot(path.join(folder, `${rule.id}.md`));
});

test('rules speak of the live and the new release, not of N and N+1', () => {
  const texts = lintRules.flatMap(({ title, why, instead }) => [title, why, instead]);
  expect(texts.filter((text) => /\bN(?:\+1)?\b/.test(text))).toEqual([]);
});

test('the configuration in the guide is a good one', async () => {
  const guide = await readFile(path.join(folder, 'README.md'), 'utf8');
  const yaml = /```yaml\n([^]*?)```/.exec(guide)?.[1] ?? '';
  const settings = (parse(yaml) as Record<string, unknown>)['verdigris-lint'];
  expect(parseLintConfig(settings, ruleIds)).toMatchObject({
    postgres: 17,
    target: 'candidate',
    rules: { 'prefer-text': 'warning', 'prefer-identity': 'off' },
  });
});

test.each(['pre-commit-lint.yaml', 'github-action-lint.yaml'])(
  'the example %s is YAML and calls the linter',
  async (name) => {
    const text = await readFile(path.join(folder, '../examples', name), 'utf8');
    expect(() => parse(text)).not.toThrow();
    expect(text).toContain('verdigris lint migrations');
  },
);
