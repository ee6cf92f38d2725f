import { expect, test } from 'vitest';
import { timelineText } from '../../src/cli/history.ts';

const day = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

test('a bar is filled where its command was at work, not in the days between two of its steps', () => {
  const span = { verb: 'verify', outcome: 'done' } as const;
  const text = timelineText({
    from: '1',
    to: '2',
    outcome: 'released',
    startedAt: at(0),
    endedAt: at(4 * day),
    spans: [
      { ...span, step: 'rows', startedAt: at(0), endedAt: at(1_000) },
      { ...span, step: 'seal', startedAt: at(2 * day), endedAt: at(2 * day + 2_000) },
      { ...span, step: 'rows', startedAt: at(3 * day), endedAt: at(4 * day) },
    ],
  });
  const [, cut, whole] = text.split('\n');
  expect(cut).toBe(`  verify    █${'·'.repeat(23)}█${'·'.repeat(23)} 3s`);
  expect(whole).toBe(`  verify    ${'·'.repeat(36)}${'█'.repeat(12)} 1d`);
});
