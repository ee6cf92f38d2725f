import { expect, test } from 'vitest';
import { judgeContractions, type JudgedStage } from '../../../src/migrations/expand-contract/judge.ts';
import { parseNotes } from '../../../src/migrations/expand-contract/notes.ts';

const stage: JudgedStage = { releases: ['40', '41', '42'], from: '42', to: '43', spent: [], pending: ['drop'] };
const gone = [{ object: 'shop.customer.name', kind: 'column', id: 'column-removed' }] as const;
const judge = (note: string, changes: Partial<JudgedStage> = {}) =>
  judgeContractions(gone, parseNotes(note, '3_drop.sql').contract, { ...stage, ...changes }).map(
    ({ id, grade }) => `${grade} ${id}`,
  );

test('without a note the live release uses all of its schema: nothing goes', () => {
  const [finding] = judgeContractions(gone, [], stage);
  expect(finding).toMatchObject({ id: 'contract-too-early', grade: 'refuse', objects: ['shop.customer.name is gone'] });
  expect(finding?.fix).toContain('-- verdigris: contract shop.customer.name last-used-by 41');
});

test('a release before the live one is past: what it was the last to use may go', () => {
  expect(judge('-- verdigris: contract shop.customer.name last-used-by 41')).toEqual([]);
  expect(judge('/* verdigris: contract "shop"."customer"."name" last-used-by 40 */')).toEqual([]);
  expect(judge('<!-- verdigris: contract shop.customer.name unused because it was never filled -->')).toEqual([]);
});

test('what the live release or the coming one uses stays', () => {
  expect(judge('-- verdigris: contract shop.customer.name last-used-by 42')).toEqual(['refuse contract-too-early']);
  expect(judge('-- verdigris: contract shop.customer.name last-used-by 43')).toEqual(['refuse contract-too-early']);
});

test('a release that came back by its name counts where it was last', () => {
  expect(
    judge('-- verdigris: contract shop.customer.name last-used-by 41', {
      releases: ['41', '42', '41', '44'],
      from: '44',
    }),
  ).toEqual([]);
  expect(
    judge('-- verdigris: contract shop.customer.name last-used-by 41', { releases: ['41', '42', '41'], from: '41' }),
  ).toEqual(['refuse contract-too-early']);
});

test('a release that was never here proves nothing', () => {
  expect(judge('-- verdigris: contract shop.customer.name last-used-by 4l')).toEqual([
    'refuse contract-release-unknown',
  ]);
});

test('a note speaks once: what was taken away by it and came back needs another', () => {
  expect(
    judge('-- verdigris: contract shop.customer.name last-used-by 41', {
      spent: [{ object: 'shop.customer.name', lastUsedBy: '41' }],
    }),
  ).toEqual(['refuse contract-too-early']);
});

test('a note that fits nothing is told where its file is pending', () => {
  const note = '-- verdigris: contract shop.customer.nmae last-used-by 41';
  expect(judge(note)).toEqual(['refuse contract-too-early', 'warn contract-note-idle']);
  expect(judge(note, { pending: [] })).toEqual(['refuse contract-too-early']);
});

test('a note that cannot be read is refused with its line', () => {
  expect(() => parseNotes('SELECT 1;\n-- verdigris: contract shop.customer.name', 'm/2.sql')).toThrow(
    /m\/2\.sql:2.*last-used-by/s,
  );
});

test('what replaces what is read beside it', () => {
  expect(parseNotes('-- verdigris: expand shop.f(int,  text) replaces shop.f(int)', '1.sql').expand).toEqual([
    { object: 'shop.f(int, text)', replaces: 'shop.f(int)', at: '1.sql:1' },
  ]);
});
