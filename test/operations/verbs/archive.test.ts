import { expect, test } from 'vitest';
import type { Archive } from '../../../src/model/journal.ts';
import { sorted } from '../../../src/operations/verbs/archive.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-28T12:00:00Z');

const aged = (...days: number[]): Archive[] =>
  days.map((each) => ({
    name: `archive-${each}`,
    release: String(each),
    colour: 'blue',
    major: 17,
    at: new Date(now - each * day).toISOString(),
  }));

test('of archives the newest stay, none older than declared, and the newest of all whatever its age', () => {
  const kept = (archives: readonly Archive[], how: Parameters<typeof sorted>[1]): string[] =>
    sorted(archives, how, now).kept.map(({ release }) => release);
  expect(kept(aged(30, 20, 10, 0), { keep: 3 })).toEqual(['20', '10', '0']);
  expect(kept(aged(30, 20, 10, 0), { keep: 3, maxAge: 15 * day })).toEqual(['10', '0']);
  expect(kept(aged(30), { keep: 3, maxAge: 15 * day })).toEqual(['30']);
  expect(sorted(aged(30, 20, 10), { keep: 1 }, now).over.map(({ name }) => name)).toEqual(['archive-30', 'archive-20']);
});
