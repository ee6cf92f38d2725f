import { expect, test } from 'vitest';
import { findingCatalogue, type FindingId } from '../../src/model/finding-catalogue.ts';
import { finding } from '../../src/model/finding.ts';
import { document, nodes, property, sources, walk, type Node } from './sources.ts';

const catalogue = Object.keys(findingCatalogue) as FindingId[];
const pages = { 'docs/findings.md': '##', 'docs/errors.md': '###' } as const;

function sections(page: keyof typeof pages): Map<string, string> {
  const parts = document(page).split(new RegExp(`^${pages[page]} `, 'm'));
  return new Map(parts.slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part]));
}

// Findings of the linter are rules, with a page each under docs/lint.
const code = sources('src', (file) => file.startsWith('src/migrations/lint/'));

function objectsWith(...names: readonly string[]): { readonly file: string; readonly node: Node }[] {
  const found: { file: string; node: Node }[] = [];
  for (const { file, program } of code)
    walk(program, (node) => {
      if (node.type === 'ObjectExpression' && names.every((name) => property(node, name))) found.push({ file, node });
    });
  return found;
}

test('every id has a section, and each section of docs/findings.md an id of its own', () => {
  expect(document('docs/findings.md').match(/^## /gm)).toHaveLength(sections('docs/findings.md').size);
  const [findings, errors] = [sections('docs/findings.md'), sections('docs/errors.md')];
  expect(catalogue.filter((id) => !findings.has(id) && !errors.has(id))).toEqual([]);
  expect([...findings.keys()].filter((id) => !(id in findingCatalogue))).toEqual([]);
});

test('docs/findings.md has the grade of the catalogue and says why it hurts and what to do', () => {
  for (const [id, text] of sections('docs/findings.md')) {
    const { grade } = findingCatalogue[id as FindingId];
    const grades = typeof grade === 'string' ? [grade] : grade;
    expect(/^\*([a-z, ]+)[.;]/m.exec(text)?.[1], id).toBe(grades.join(' or '));
    expect(text, id).toMatch(/\*\*Why it hurts\.\*\* .+\n\n\*\*What to do\.\*\* .+/);
  }
});

test('every id is given somewhere, and by `finding` alone', () => {
  const given = new Set<unknown>();
  for (const { file, program } of code)
    if (!file.endsWith('finding-catalogue.ts'))
      walk(program, (node) => void (node.type === 'Literal' && given.add(node['value'])));
  expect(catalogue.filter((id) => !given.has(id))).toEqual([]);
  expect(objectsWith('id', 'grade', 'objects').map(({ file }) => file)).toEqual(['src/model/finding.ts']);
});

test('a title is no sentence: lower case, no full stop, so that its objects follow it', () => {
  const titles = [
    ...Object.values(findingCatalogue).flatMap((entry) => ('title' in entry ? [[entry.title]] : [])),
    ...objectsWith('title', 'objects').map(({ node }) => wordsOf(property(node, 'title'))),
  ];
  expect(titles.length).toBeGreaterThan(120);
  const sentence = ([first = '', ...rest]: readonly string[]): boolean =>
    (/^[A-Z][a-z]/.test(first) && !first.startsWith('PostgreSQL')) || (rest.at(-1) ?? first).endsWith('.');
  expect(titles.filter(sentence)).toEqual([]);
});

/** The words of a string or template, without what is put in. */
function wordsOf(title: Node | undefined): string[] {
  const parts = title?.type === 'TemplateLiteral' ? nodes(title['quasis']) : title ? [title] : [];
  return parts.map(({ value }) =>
    typeof value === 'string' ? value : ((value as { raw?: string } | undefined)?.raw ?? ''),
  );
}

test('what the catalogue says of an id cannot be said otherwise, and what it leaves open must be said', () => {
  const words = { objects: [], reason: 'b' } as const;
  expect(finding('tablespaces', { ...words, fix: 'c' })).toMatchObject({ id: 'tablespaces', grade: 'refuse' });
  // @ts-expect-error: its grade is the catalogue's
  finding('tablespaces', { ...words, fix: 'c', grade: 'info' });
  // @ts-expect-error: its next step is the catalogue's
  finding('wal-volume', { ...words, fix: 'c' });
  // @ts-expect-error: its next step depends on the place
  finding('tablespaces', words);
  // @ts-expect-error: it is a refusal or a warning
  finding('index-invalid', { ...words, title: 'a', fix: 'c', grade: 'info' });
});
