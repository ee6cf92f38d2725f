import { expect, test } from 'vitest';
import type { Span } from '../../src/model/journal.ts';
import { runsOf } from '../../src/model/runs.ts';

function span(verb: string, step: string, from: number, to: number, outcome: Span['outcome'] = 'done'): Span {
  return { verb, step, outcome, startedAt: new Date(from).toISOString(), endedAt: new Date(to).toISOString() };
}

test('each command is a run of its own, and what lay between two of its steps was not worked', () => {
  const spans = [
    span('verify', 'rows', 0, 1_000),
    span('verify', 'rows', 90_000_000, 90_002_000),
    span('verify', 'seal', 180_000_000, 180_000_500),
    span('switch', 'hold', 180_001_000, 180_001_200, 'failed'),
    // Of another machine, whose clock was behind.
    span('switch', 'fence', 180_001_300, 180_000_900),
  ];
  expect(runsOf(spans).map(({ verb, spans: { length }, worked }) => [verb, length, worked])).toEqual([
    ['verify', 1, 1_000],
    ['verify', 2, 2_500],
    ['switch', 2, 200],
  ]);
  expect(runsOf([])).toEqual([]);
});
