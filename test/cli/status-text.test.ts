import { expect, test } from 'vitest';
import { statusText } from '../../src/cli/status-text.ts';
import { status } from '../observe/support.ts';

const seen = status({
  disks: [],
  endsRollback: [],
  credentials: [],
  next: [],
  backfills: { error: 'The server of green stopped.' },
});

test('what could not be asked since the live colour is down is not told once more', () => {
  const [blue, green] = seen.colours;
  if (!blue || !green) throw new Error('the status of the tests has both colours');
  expect(seen.live).toBe('green');
  expect(statusText(seen)).toContain('backfills    The server of green stopped.');
  expect(statusText({ ...seen, colours: [blue, { ...green, running: false }] })).not.toContain('backfills');
});

test('clients whom somebody else than Verdigris holds are held, though nobody noted since when', () => {
  const held = { ...seen.traffic, held: { token: 0 } };
  expect(statusText({ ...seen, traffic: held })).toMatch(/^clients .*, held$/m);
});

test('the times of an automatic release are said as all others, with how far they are', () => {
  const at = new Date(Date.now() - 90_000).toISOString();
  const text = statusText({
    ...seen,
    delivery: {
      from: '1',
      to: '2',
      candidate: 'green',
      digest: 'd',
      startedAt: at,
      step: { index: 3, text: 'analysis', since: at, failures: 0 },
      tallies: {},
      verdicts: [{ step: 'analysis', at, verdict: 'inconclusive', metrics: {} }],
      approvals: [{ at, by: 'ann@db1', digest: 'd', step: 2 }],
      stopped: { at, step: 'analysis', follow: 'wait', why: 'no series', attempts: 0 },
    },
  });
  expect(text).not.toContain(at);
  expect([...text.matchAll(/\d\d:\d\d UTC \(1m ago\)/g)]).toHaveLength(4);
});

test('the candidate of a drill is not shown as that of a release', () => {
  expect(statusText({ ...seen, release: { from: '1', to: '2', drill: true } })).toMatch(
    /^drill 1 → 2; where none runs/m,
  );
});
