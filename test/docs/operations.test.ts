import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { verbs } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';
import { document, root } from './sources.ts';

test.each(verbs)('%s: every step has its heading, and every heading is a step', (verb) => {
  // Options that say nothing to a verb change nothing of it.
  const operations = [
    operationOf(verb),
    operationOf(verb, { lossy: true }),
    ...(['logical', 'standby', 'prepared'] as const).map((way) => operationOf(verb, { way })),
  ];
  const steps = [...new Set(operations.flatMap(({ start, complete }) => [...start, ...complete].map(({ id }) => id)))];
  const headings = [...document(`docs/operations/${verb}.md`).matchAll(/^### (.+)$/gm)].map((match) => match[1]);
  expect([...headings].sort()).toEqual(steps.sort());
});

test('the steps stand in the order in which they run', () => {
  for (const verb of verbs) {
    const { start, complete } = operationOf(verb);
    const text = document(`docs/operations/${verb}.md`);
    const places = [...start, ...complete].map(({ id }) => text.indexOf(`\n### ${id}\n`));
    expect(places, verb).toEqual(places.toSorted((a, b) => a - b));
  }
});

test('every page of a verb is linked from the list of pages', () => {
  const list = document('docs/README.md');
  const pages = readdirSync(path.join(root, 'docs/operations'));
  expect(pages.filter((page) => !list.includes(`](operations/${page})`))).toEqual([]);
});

test('links between pages lead to a page and a heading that exist', () => {
  const folder = path.join(root, 'docs');
  const pages = [
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
    ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => path.join(root, name)),
  ];
  const broken: string[] = [];
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(page, 'utf8')
      .replaceAll(/```[\s\S]*?```/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? page : path.resolve(path.dirname(page), file);
      if (!existsSync(to) || (anchor !== undefined && !anchors(to).includes(anchor)))
        broken.push(`${path.relative(root, page)}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

/** As GitHub makes them of headings. */
function anchors(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
