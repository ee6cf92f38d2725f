import { expect, test } from 'vitest';
import { evaluate, flagsSchema, inShare, type FlagFacts } from '../../src/model/flags.ts';

const facts: FlagFacts = {
  live: 'green',
  state: 'switched',
  liveRelease: '2',
  shapes: new Set(['1', '2']),
  backfills: new Map([['totals', false]]),
  losslessRollback: true,
};
const declared = flagsSchema.parse({
  checkout: { release: '2', share: 25 },
  reports: { release: '2', backfill: 'totals' },
  later: { release: '3' },
});
const ask = (key: string, targetingKey?: string, more: Partial<FlagFacts> = {}) =>
  evaluate(key, targetingKey, declared, { ...facts, ...more });

test('what the schema has is true for releases before the live one too, and false for those that nobody has heard of', () => {
  expect(ask('verdigris.release')).toEqual({ value: '2', reason: 'STATIC', variant: '2' });
  for (const [key, value] of [
    ['verdigris.schema.1', true],
    ['verdigris.schema.2', true],
    ['verdigris.schema.3', false],
    ['verdigris.rollback', true],
    ['verdigris.backfill.totals', false],
    ['reports', false],
    ['later', false],
  ] as const)
    expect(ask(key), key).toMatchObject({ value });
  expect(ask('reports', undefined, { backfills: new Map([['totals', true]]) })).toMatchObject({ value: true });
  const outlived = { backfills: new Map(), liveRelease: '3' };
  expect(ask('reports', undefined, outlived)).toMatchObject({ value: true });
});

test('what is not known is an error, from which a software takes its own default, and never a guess', () => {
  expect(ask('verdigris.backfill.nothing')).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
  expect(ask('constructor')).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
  expect(ask('verdigris.rollback', undefined, { losslessRollback: undefined })).toMatchObject({ errorCode: 'GENERAL' });
  expect(ask('reports', undefined, { backfills: undefined })).toMatchObject({ errorCode: 'GENERAL' });
  expect(ask('checkout')).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' });
});

test('a share is the same for a key at every time, is as large as declared, and grows without leaving anybody out', () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);
  const on = keys.filter((key) => inShare('checkout', key, 25));
  expect(on.length).toBeGreaterThan(2_300);
  expect(on.length).toBeLessThan(2_700);
  expect(on.every((key) => inShare('checkout', key, 40))).toBe(true);
  // Another process, another day: this is what the first one answered.
  expect(on.slice(0, 3)).toEqual(first);
  expect(ask('checkout', on[0])).toEqual({ value: true, reason: 'SPLIT', variant: 'true' });
  expect(ask('checkout', on[0], { shapes: new Set(['1']) })).toMatchObject({ value: false, reason: 'STATIC' });
});

const first = ['user-1', 'user-4', 'user-7'];
