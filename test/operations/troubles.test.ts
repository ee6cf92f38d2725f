import { expect, test } from 'vitest';
import type { Status } from '../../src/operations/reads/status-types.ts';
import { troublesOf } from '../../src/operations/reads/troubles.ts';
import { status } from '../observe/support.ts';
import { declared } from '../pulumi/components/support.ts';

const { limits } = declared();
const seen = (more: Partial<Status>): unknown => troublesOf(status({ disks: [], ...more }), limits).map(({ id }) => id);
const [blue, green] = status().colours;
const { replication, traffic } = status();

test('where all is as the state promises there is no trouble', () => {
  expect(seen({})).toEqual([]);
});

test('what is broken is named, what holds clients first, and each has its repair', () => {
  if (!blue || !green || !replication) throw new Error('the status of the tests has both colours');
  const broken: readonly (readonly [Partial<Status>, readonly string[]])[] = [
    [{ traffic: { ...traffic, running: false } }, ['path-down']],
    [{ traffic: { ...traffic, held: { since: '2026-01-01T00:00:00.000Z', token: 1 } } }, ['clients-held']],
    [{ traffic: { ...traffic, live: 'blue' } }, ['route-differs']],
    [{ colours: [blue, { ...green, running: false }] }, ['server-down']],
    [{ colours: [blue, { ...green, error: 'no answer' }] }, ['unknown-colour']],
    [{ colours: [blue, { ...green, fenced: 2 }] }, ['live-fenced']],
    [{ colours: [{ ...blue, fenced: 0 }, green] }, ['two-open']],
    [{ colours: [{ colour: 'blue', role: 'absent', running: false }, green] }, ['other-gone']],
    [{ replication: { ...replication, slot: 'lost' }, losslessRollback: false }, ['slot-lost']],
    [{ replication: { ...replication, slot: 'unknown' }, losslessRollback: undefined }, ['unknown-replication']],
    [{ replication: { ...replication, applying: false }, losslessRollback: false }, ['apply-stopped']],
    [{ replication: { ...replication, retainedBytes: limits.retainedWal } }, ['wal-retained']],
    [{ disks: [{ place: 'journal', free: 1, total: 100 }] }, ['disk-full']],
    [{ proof: { good: false, seen: 'green restarted' } }, ['proof-void']],
    [{ credentials: [{ role: 'shop_app', old: true }] }, ['credential-old']],
    [{ operation: { verb: 'switch', phase: 'start', since: '2026-01-01T00:00:00.000Z' } }, ['interrupted']],
  ];
  for (const [more, ids] of broken) expect.soft(seen(more), JSON.stringify(more)).toEqual(ids);
  expect(
    troublesOf(
      status({ disks: [{ place: 'blue', free: 1, total: 100 }], traffic: { ...traffic, running: false } }),
      limits,
    ).map(({ id, repair }) => [id, repair]),
  ).toEqual([
    ['path-down', '`verdigris start`'],
    ['disk-full', 'free space there'],
  ]);
});
