import { expect, test } from 'vitest';
import { document } from '../docs/sources.ts';
import { held } from './acts/held.ts';
import { everyAct } from './acts/index.ts';

test('docs/testing.md says how many acts of the adversary there are, each of a kind of its own', () => {
  const [, ofActs, ofSessions] =
    /the adversary: (\d+) kinds of acts beside .*?; (\d+) of sessions that/.exec(document('docs/testing.md')) ?? [];
  expect([ofActs, ofSessions]).toEqual([everyAct.length, held.length].map(String));
  for (const list of [everyAct, held]) expect(new Set(list.map(({ kind }) => kind)).size).toBe(list.length);
});
