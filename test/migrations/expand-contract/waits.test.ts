import { expect, test } from 'vitest';
import type { LedgerLine, ShapeLedger } from '../../../src/migrations/expand-contract/ledger.ts';
import { byRelease, lastUser, waits, type Now } from '../../../src/migrations/expand-contract/waits.ts';

const [name, fullName] = ['shop.customer.name', 'shop.customer.full_name'];
const line = (
  release: string,
  change: LedgerLine['change'],
  object: string,
  rest: Partial<LedgerLine> = {},
): LedgerLine => ({ release, change, object, kind: 'column', replaces: null, lastUsedBy: null, at: '', ...rest });
const expanded: ShapeLedger = {
  releases: ['41', '42'],
  lines: [line('42', 'expand', fullName, { replaces: name }), line('42', 'expand', 'shop.note', { kind: 'table' })],
};
const at = (ledger: ShapeLedger, now: Partial<Now> & Pick<Now, 'live'>) =>
  waits(ledger, { backfills: [], ...now }).map(({ object, usedBy, waitsFor }) => ({ object, usedBy, waitsFor }));

test('from the candidate to the release after: what an old column waits for', () => {
  const backfills = [{ name: '0007_name', fills: [fullName], state: '120 rows so far' }];
  expect(at(expanded, { live: '41', other: { release: '42', role: 'candidate' }, backfills })).toEqual([
    { object: name, usedBy: ['41'], waitsFor: ['release 42 to be live', 'backfill 0007_name: 120 rows so far'] },
  ]);
  expect(at(expanded, { live: '42', other: { release: '41', role: 'retained' } })).toEqual([
    { object: name, usedBy: ['41'], waitsFor: ['release 41 to be retired: it can be rolled back to'] },
  ]);
  expect(at(expanded, { live: '42' })).toEqual([{ object: name, usedBy: [], waitsFor: [] }]);
  expect(at(expanded, { live: '42', other: { release: '43', role: 'candidate' } })).toEqual([
    { object: name, usedBy: [], waitsFor: [] },
  ]);
});

test('what was taken away waits for nothing; what came back under its name does again', () => {
  const gone = {
    releases: ['41', '42', '43'],
    lines: [...expanded.lines, line('43', 'contract', name, { lastUsedBy: '41' })],
  };
  expect(at(gone, { live: '43' })).toEqual([]);
  const narrowed = { ...gone, lines: [...expanded.lines, line('43', 'contract', name, { kind: 'narrower column' })] };
  expect(at(narrowed, { live: '43' })).toHaveLength(1);
  const again = {
    releases: ['41', '42', '43', '44', '45'],
    lines: [
      ...gone.lines,
      line('44', 'expand', name),
      line('45', 'expand', 'shop.customer.first_name', { replaces: name }),
    ],
  };
  expect(at(again, { live: '45' })).toEqual([{ object: name, usedBy: [], waitsFor: [] }]);
});

test('the ledger is told by release, and the last that knew nothing else is the one before', () => {
  expect(byRelease(expanded)).toEqual([
    { release: '41', added: [], takenAway: [] },
    {
      release: '42',
      added: [
        { object: fullName, kind: 'column', replaces: name },
        { object: 'shop.note', kind: 'table', replaces: null },
      ],
      takenAway: [],
    },
  ]);
  expect(lastUser(expanded, '42')).toBe('41');
});
