import { expect, test } from 'vitest';
import type { Verb } from '../../../src/model/transitions.ts';
import type { Status } from '../../../src/operations/reads/status-types.ts';
import { troublesOf } from '../../../src/operations/reads/troubles.ts';
import { status } from '../../observe/support.ts';
import { declared } from '../../pulumi/components/support.ts';

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
    [{ traffic: { ...traffic, trouble: { seen: 'it hangs', repair: 'look again' } } }, ['path-unknown']],
    [{ traffic: { ...traffic, held: { since: '2026-01-01T00:00:00.000Z', token: 1 } } }, ['clients-held']],
    [{ traffic: { ...traffic, held: { token: 0 } } }, ['clients-held']],
    [{ traffic: { ...traffic, held: { since: '2999-01-01T00:00:00.000Z', token: 1 } } }, ['clients-held']],
    [{ traffic: { ...traffic, live: 'blue' } }, ['route-differs']],
    [{ colours: [blue, { ...green, running: false }] }, ['server-down']],
    [{ colours: [blue, { ...green, error: 'no answer' }] }, ['unknown-colour']],
    [
      {
        colours: [{ ...blue, running: false }, green],
        replication: { ...replication, from: 'green', to: 'blue', applying: false },
        losslessRollback: false,
      },
      ['server-down'],
    ],
    [{ colours: [blue, { ...green, fenced: 2 }] }, ['live-fenced']],
    [{ colours: [{ ...blue, fenced: 0 }, green] }, ['two-open']],
    [{ colours: [{ colour: 'blue', role: 'absent', running: false }, green] }, ['other-gone']],
    [{ colours: [blue, { colour: 'green', role: 'absent', running: false }] }, ['live-gone']],
    [{ colours: [blue, { ...green, ownSchema: false }] }, ['own-schema-gone']],
    [
      {
        colours: [
          { ...blue, ownSchema: false },
          { ...green, ownSchema: false },
        ],
        operation: { verb: 'switch', phase: 'start', since: '2026-01-01T00:00:00.000Z' },
        operator: { holder: 'ann@db1', since: '2026-01-01T00:00:00.000Z' },
      },
      ['own-schema-gone'],
    ],
    [{ colours: [blue, { ...green, fenced: 0, shutOut: [{ role: 'app' }] }] }, ['roles-shut-out']],
    [
      { colours: [blue, { ...green, error: 'timeout' }], replication: { ...replication, slot: 'unknown' } },
      ['unknown-colour'],
    ],
    [{ replication: { ...replication, slot: 'lost' }, losslessRollback: false }, ['slot-lost']],
    [{ replication: { ...replication, slot: 'unknown' }, losslessRollback: undefined }, ['unknown-replication']],
    [{ replication: { ...replication, applying: false }, losslessRollback: false }, ['apply-stopped']],
    [{ replication: { ...replication, marked: false }, losslessRollback: true }, ['markers-gone']],
    [{ replication: { ...replication, retainedBytes: limits.retainedWal } }, ['wal-retained']],
    [{ disks: [{ place: 'journal', free: 1, total: 100 }] }, ['disk-full']],
    [
      {
        disks: [{ place: 'green', free: 50, total: 100, readOnly: true }],
        colours: [blue, { ...green, running: false }],
      },
      ['disk-read-only', 'server-down'],
    ],
    [{ state: 'canary', traffic: { ...traffic, canary: 0 }, losslessRollback: undefined }, ['canary-withdrawn']],
    [{ state: 'canary', traffic: { ...traffic, canary: 5 }, losslessRollback: undefined }, []],
    [{ proof: { good: false, seen: 'green restarted' } }, ['proof-void']],
    [{ credentials: [{ role: 'shop_app', old: true }] }, ['credential-old']],
    [{ operation: { verb: 'switch', phase: 'start', since: '2026-01-01T00:00:00.000Z' } }, ['interrupted']],
  ];
  const atWork = { operator: { holder: 'ann@db1', since: '2026-01-01T00:00:00.000Z' } };
  // While it is made or turned round there is none for a moment.
  const begun = { phase: 'complete', since: '2026-01-01T00:00:00.000Z' } as const;
  const unmade = { ...replication, applying: false, subscription: 'missing' } as const;
  const without = (verb: Verb): unknown =>
    seen({ replication: unmade, losslessRollback: false, operation: { verb, ...begun }, operator: atWork.operator });
  for (const verb of ['seed', 'switch', 'rollback', 'abandon', 'retire'] as const) expect(without(verb)).toEqual([]);
  for (const verb of ['migrate', 'verify', 'canary'] as const) expect(without(verb)).toEqual(['apply-stopped']);
  const asked = (verb: Verb, colours: Status['colours']): unknown =>
    seen({ colours, operation: { verb, ...begun }, operator: atWork.operator });
  expect(asked('switch', [blue, { ...green, error: 'terminating connection' }])).toEqual([]);
  expect(asked('verify', [blue, { ...green, error: 'terminating connection' }])).toEqual(['unknown-colour']);
  const silent = (role: string) =>
    [blue, green].map((each) => (each.role === role ? { ...each, error: 'timeout' } : each));
  expect(asked('seed', silent('live'))).toEqual(['unknown-colour']);
  expect(asked('seed', silent('retained'))).toEqual([]);
  const idle = [blue, green].map((each) => ({ ...each, running: each.role === 'live' }));
  expect(asked('seed', idle)).toEqual([]);
  expect(asked('switch', idle)).toEqual(['server-down']);
  expect(
    asked(
      'seed',
      [blue, green].map((each) => ({ ...each, running: each.role !== 'live' })),
    ),
  ).toEqual(['server-down']);
  expect(seen({ ...atWork, traffic: { ...traffic, held: { token: 0 } } })).toEqual([]);
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

test('the repair is a command that works where the environment is and in the state that it is in', () => {
  const repairs = (more: Partial<Status>): unknown =>
    troublesOf(status({ disks: [], ...more }), limits).map(({ repair }) => repair);
  const down = { traffic: { ...traffic, running: false } };
  expect(repairs({ ...down, platform: 'kubernetes' })).toEqual(['`verdigris up --refresh`']);
  expect(repairs({ state: 'verified', disks: [{ place: 'blue', free: 1, total: 100 }] })).toEqual([
    expect.stringMatching(/^`verdigris abandon`/),
  ]);
  const applyError =
    'ERROR: duplicate key value violates unique constraint "item_pkey" DETAIL: Key (id)=(7) already exists. ' +
    'CONTEXT: processing remote data for replication origin "pg_1" during message type "INSERT" for replication target relation "public.item" in transaction 7';
  const stopped = (error: string): unknown =>
    repairs({
      losslessRollback: false,
      replication: { ...(replication as NonNullable<typeof replication>), applying: false, applyError: error },
    });
  expect(stopped(applyError)).toEqual([
    expect.stringMatching(/^`verdigris psql \w+ -c "DELETE FROM public\.item WHERE id = '7'"`/),
  ]);
  const follows = (more: Partial<typeof replication>): unknown =>
    repairs({
      losslessRollback: false,
      replication: { ...(replication as object), applying: false, ...more } as never,
    });
  expect(follows({ subscription: 'disabled' })).toEqual(['`verdigris psql blue -c "ALTER SUBSCRIPTION s ENABLE"`']);
  expect(follows({ subscription: 'missing' })).toEqual(['`verdigris retire`, or `verdigris rollback --lossy`']);
  expect(follows({ applyError: 'ERROR: could not connect to the publisher: no' })).toEqual([
    expect.stringMatching(/^none: .*`verdigris logs --colour blue`$/),
  ]);
  const full = 'could not write to file "x": No space left on device';
  expect(follows({ applyError: `ERROR: ${full}` })).toEqual([
    'free space on the disk of blue, and apply goes on by itself',
  ]);
  expect(follows({ applyError: `ERROR: could not receive data from WAL stream: ERROR: ${full}` })).toEqual([
    'free space on the disk of green, and apply goes on by itself',
  ]);
  const shut = (rule?: { file: string; line: number } | null): unknown =>
    repairs({
      colours: [
        blue as NonNullable<typeof blue>,
        {
          ...(green as NonNullable<typeof green>),
          fenced: 0,
          shutOut: [{ role: 'app', ...(rule === undefined ? {} : { rule }) }],
        },
      ],
    });
  expect(shut()).toEqual([`\`verdigris psql green -c 'ALTER ROLE "app" LOGIN'\``]);
  const reload = "then `verdigris psql green -c 'SELECT pg_reload_conf()'`";
  expect(shut({ file: '/data/pg_hba.conf', line: 7 })).toEqual([`take line 7 out of /data/pg_hba.conf, ${reload}`]);
  expect(shut(null)).toEqual([`add a line that does, ${reload}`]);
  const silent = (error: string, platform: 'local' | 'kubernetes'): unknown =>
    repairs({
      platform,
      colours: [blue as NonNullable<typeof blue>, { ...(green as NonNullable<typeof green>), error }],
    });
  expect(silent('pg_hba.conf rejects connection', 'local')).toEqual(['`verdigris start`']);
  expect(silent('pg_hba.conf rejects connection', 'kubernetes')).toEqual(['`verdigris logs --colour green`']);
  expect(silent('timeout expired', 'local')).toEqual(['`verdigris logs --colour green`']);
  for (const said of [
    'does not exist',
    'is missing replicated column: "note"',
    'is missing replicated columns: "a", "b"',
  ])
    expect(stopped(`ERROR: logical replication target relation "shop.item" ${said}`)).toEqual([
      expect.not.stringContaining('explain'),
    ]);
  // What would have to be quoted in a shell is left to a person.
  for (const odd of ['$(reboot)', "x'y", 'a`b`'])
    expect(stopped(applyError.replace('=(7)', `=(${odd})`))).toEqual([
      expect.stringMatching(/^`verdigris explain apply-stopped`/),
    ]);
});
