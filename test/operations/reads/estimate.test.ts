import { expect, test } from 'vitest';
import type { Journal } from '../../../src/model/journal.ts';
import { lastPause } from '../../../src/operations/reads/estimate.ts';
import type { HistoryEntry } from '../../../src/platform/port/history.ts';

test('the last pause is of the release under way, else of the last release that held the clients', () => {
  const ended = [{ pauseMs: 90 }, { pauseMs: 4400 }, {}] as HistoryEntry[];
  const journal = (release: object | undefined) => ({ release }) as unknown as Journal;
  expect(lastPause(journal({ pauseMs: 350 }), ended)).toBe(350);
  expect(lastPause(journal({}), ended)).toBe(4400);
  expect(lastPause(journal(undefined), [])).toBeUndefined();
});
