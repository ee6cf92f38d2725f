import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/event-text.ts';
import { findingLine } from '../../src/model/finding.ts';
import { findingsOf, sound } from '../postgres/preflight/support.ts';
import { withDatabase } from '../support/postgres.ts';

test('a preflight at the terminal: title, objects, reason and fix, each read once', async () => {
  await withDatabase(async (client) => {
    await client.query('CREATE TABLE orders (id int); CREATE TABLE items (id int)');
    const said = (await findingsOf(client)).map((finding) => stripVTControlCharacters(findingText(finding)));
    const id = 'replica-identity-missing';
    const finding = said.find((each) => each.includes(id)) ?? '';
    const [title, ...rest] = finding.split('\n');
    expect(title).toBe(`  ✗ refuse ${id} tables have no replica identity: public.items, public.orders`);
    expect(rest.join('\n')).toMatch(
      /^ {6}\S.*\n {6}fix: ALTER TABLE [^]*\n {6}verdigris explain replica-identity-missing$/,
    );
    for (const each of said) {
      expect(each).toMatch(/verdigris explain [a-z0-9-]+\)?$/);
      expect(each).not.toMatch(/\.:|\.\.|\b1 \w+s\b/);
    }
  }, sound);
});

test('of many objects six are named and the rest counted', () => {
  const objects = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  expect(findingLine({ title: 'too many', objects })).toBe('too many: a, b, c, d, e, f, and 2 more');
  expect(findingLine({ title: 'none', objects: [] })).toBe('none');
});
