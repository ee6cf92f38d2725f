import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnvironment } from '../../src/model/environment.ts';
import { document, root } from './sources.ts';

const readme = document('README.md');

function section(page: string, heading: string): string {
  return new RegExp(`\\n## ${heading}\\n([^]*?)\\n## `).exec(document(page))?.[1] ?? '';
}

/** What the README promises, offers and bounds: the text of each, from its first word on. */
const claims = [
  ...section('README.md', 'What it promises').matchAll(/^\d\. \*\*(.+)$/gm),
  ...section('README.md', 'Beside a release').matchAll(/^\| (?!for \||---)(.+)$/gm),
  ...section('README.md', 'Limits').matchAll(/^- (.+)$/gm),
].map(([, text = '']) => text);

const shown = [
  ...section('docs/testing.md', 'What shows what the README claims').matchAll(/^\| (.+?) \| (.*`test\/.+) \|$/gm),
].map(([, claim = '', by = '']) => ({ claim, by }));

test('each claim of the README is in the table of what shows it, once, and nothing else is', () => {
  expect(claims.length).toBeGreaterThan(30);
  const times = claims.map((text) => [text, shown.filter(({ claim }) => text.startsWith(claim)).length]);
  expect(times.filter(([, found]) => found !== 1)).toEqual([]);
  expect(shown.filter(({ claim }) => !claims.some((text) => text.startsWith(claim)))).toEqual([]);
});

test('every test that the table names is there', () => {
  const named = shown.flatMap(({ by }) => [...by.matchAll(/`(test\/[^`]+)`/g)].map(([, name = '']) => name));
  expect(named.filter((name) => globSync(name, { cwd: root }).length === 0)).toEqual([]);
});

test('its declaration is one', () => {
  const [, text = ''] = /```yaml\n([^]+?)```/.exec(readme) ?? [];
  expect(parseEnvironment(parse(text), 'the README')).toMatchObject({ name: 'shop', live: 'blue' });
});

test('the benches that it names are those that there are, and what it copies is there', () => {
  const benches = [...document('test/bench/main.ts').matchAll(/^ {2}'?([a-z-]+)'?: (?:once|series|bench)/gm)].map(
    ([, name]) => name,
  );
  const named = [...readme.matchAll(/`(?:npm run bench )?-- ([a-z]+(?:-[a-z]+| [a-z]+)*)/g)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((name) => !benches.includes(name))).toEqual([]);
  for (const [, file = ''] of readme.matchAll(/^cp (\S+)/gm)) expect(globSync(file, { cwd: root })).toEqual([file]);
});

test('npm has each script that README, CONTRIBUTING and testing.md name', () => {
  const { scripts } = JSON.parse(document('package.json')) as { scripts: Record<string, string> };
  const pages = ['README.md', 'CONTRIBUTING.md', 'docs/testing.md'];
  const named = pages.flatMap((page) =>
    [...document(page).matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(20);
  expect([...new Set(named)].filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
