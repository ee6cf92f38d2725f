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
