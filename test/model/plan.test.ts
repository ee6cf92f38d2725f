import fc from 'fast-check';
import { expect, test } from 'vitest';
import { colours, other, type Colour } from '../../src/model/colours.ts';
import type { OperationRecord } from '../../src/model/journal.ts';
import { observedOf, plan, writable, type Declared, type Observed } from '../../src/model/plan.ts';
import { crashDirection } from '../../src/model/recovery.ts';
import { states, transitions, verbs, type State, type Verb } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';

const colour = fc.constantFrom(...colours);
const declared: fc.Arbitrary<Declared> = fc.record({
  live: colour,
  releases: fc.record(
    { blue: fc.constantFrom('1', '2', '3'), green: fc.constantFrom('1', '2', '3') },
    { requiredKeys: [] },
  ),
  canary: fc.constantFrom(0, 10),
});
const observed: fc.Arbitrary<Observed> = fc
  .record({ state: fc.constantFrom(...states), live: colour })
  .map(({ state, live }) => ({
    state,
    live,
    liveRelease: state === 'switched' ? '2' : '1',
    release: state === 'single' ? null : { from: '1', to: '2' },
  }));

test('a plan is a path of edges that begins where the environment is', () => {
  fc.assert(
    fc.property(declared, observed, fc.option(fc.constantFrom(...states), { nil: undefined }), (want, seen, goal) => {
      let state: State = seen.state;
      for (const step of plan(want, seen, goal)) {
        expect(
          transitions.some(
            ({ from, verb, to, kind }) => from === state && verb === step.verb && to === step.to && kind === step.kind,
          ),
        ).toBe(true);
        state = step.to;
      }
    }),
  );
});

test('writes never move without a verification in the same plan or before it', () => {
  fc.assert(
    fc.property(declared, observed, (want, seen) => {
      const chain = plan(want, seen).map(({ verb }) => verb);
      const at = chain.indexOf('switch');
      if (at >= 0 && seen.state !== 'verified' && seen.state !== 'canary')
        expect(chain.slice(0, at)).toContain('verify');
    }),
  );
});

test('what is as declared needs no plan', () => {
  expect(
    plan(
      { live: 'blue', releases: { blue: '1' }, canary: 0 },
      { state: 'single', live: 'blue', liveRelease: '1', release: null },
    ),
  ).toEqual([]);
  expect(
    plan(
      { live: 'green', releases: { blue: '1', green: '2' }, canary: 0 },
      { state: 'switched', live: 'green', liveRelease: '2', release: { from: '1', to: '2' } },
    ),
  ).toEqual([]);
  expect(
    plan(
      { live: 'blue', releases: { blue: '1', green: '2' }, canary: 0 },
      { state: 'verified', live: 'blue', liveRelease: '1', release: { from: '1', to: '2' } },
    ),
  ).toEqual([]);
});

test.each<[string, Declared, Observed, string[]]>([
  [
    'a new release is prepared as far as verified',
    { live: 'blue', releases: { blue: '1', green: '2' }, canary: 0 },
    { state: 'single', live: 'blue', liveRelease: '1', release: null },
    ['seed', 'migrate', 'verify'],
  ],
  [
    'with a canary, as far as that',
    { live: 'blue', releases: { blue: '1', green: '2' }, canary: 5 },
    { state: 'single', live: 'blue', liveRelease: '1', release: null },
    ['seed', 'migrate', 'verify', 'canary'],
  ],
  [
    'live: green switches',
    { live: 'green', releases: { blue: '1', green: '2' }, canary: 0 },
    { state: 'verified', live: 'blue', liveRelease: '1', release: { from: '1', to: '2' } },
    ['switch'],
  ],
  [
    'live: blue again rolls back',
    { live: 'blue', releases: { blue: '1', green: '2' }, canary: 0 },
    { state: 'switched', live: 'green', liveRelease: '2', release: { from: '1', to: '2' } },
    ['rollback'],
  ],
  [
    'the retained colour is dropped',
    { live: 'green', releases: { green: '2' }, canary: 0 },
    { state: 'switched', live: 'green', liveRelease: '2', release: { from: '1', to: '2' } },
    ['retire'],
  ],
  [
    'the candidate is dropped',
    { live: 'blue', releases: { blue: '1' }, canary: 0 },
    { state: 'migrated', live: 'blue', liveRelease: '1', release: { from: '1', to: '2' } },
    ['abandon'],
  ],
  [
    'the next release takes the place of the retained colour',
    { live: 'green', releases: { blue: '3', green: '2' }, canary: 0 },
    { state: 'switched', live: 'green', liveRelease: '2', release: { from: '1', to: '2' } },
    ['retire', 'seed', 'migrate', 'verify'],
  ],
])('%s', (_, want, seen, expected) => {
  expect(plan(want, seen).map(({ verb }) => verb)).toEqual(expected);
});

/** Every journal record that a crash can leave of a verb: each step begun or ended, in each phase. */
function crashPoints(verb: Verb): OperationRecord[] {
  const at = '2026-01-01T00:00:00.000Z';
  const kinds = verb === 'rollback' ? (['lossless', 'lossy'] as const) : [undefined];
  return kinds.flatMap((kind) => {
    const operation = operationOf(verb, { lossy: kind === 'lossy' });
    return (
      [
        ['start', operation.start],
        ['revert', operation.start],
        ['complete', operation.complete],
      ] as const
    ).flatMap(([phase, steps]) =>
      [...Array(steps.length + 1).keys()].flatMap((count) =>
        [true, false].map((lastEnded): OperationRecord => ({
          verb,
          phase,
          ...(kind ? { kind } : {}),
          startedAt: at,
          steps: steps.slice(0, count).map(({ id }, index) => ({
            id,
            startedAt: at,
            ...(index < count - 1 || lastEnded ? { endedAt: at } : {}),
          })),
        })),
      ),
    );
  });
}

const allCrashPoints = verbs.flatMap(crashPoints);

test('every crash point has exactly one direction: before the commit point of a switchover back, after every commit point forward', () => {
  expect(allCrashPoints.length).toBeGreaterThan(150);
  for (const record of allCrashPoints) {
    const moves = record.verb === 'switch' || record.verb === 'rollback' || record.verb === 'canary';
    expect(crashDirection(record)).toBe(
      record.phase === 'complete' ? 'complete' : record.phase === 'revert' || moves ? 'revert' : 'continue',
    );
  }
});

test('no sequence of verbs, cut short anywhere, gives two writable colours', () => {
  const walk = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(walk, colour, (choices, first) => {
      let state: State = 'single';
      let live: Colour = first;
      for (const choice of choices) {
        const edges = transitions.filter(({ from }) => from === state);
        const edge = edges[choice % edges.length];
        if (!edge) return;
        for (const operation of crashPoints(edge.verb)) {
          const after =
            operation.phase === 'complete' && (edge.verb === 'switch' || edge.verb === 'rollback') ? other(live) : live;
          const open = writable({ live: after, operation });
          expect(open.length).toBeLessThanOrEqual(1);
          // Never the other colour while the journal has not moved, never the old one after it has.
          for (const each of open) expect(each).toBe(after);
        }
        if (edge.verb === 'switch' || edge.verb === 'rollback') live = other(live);
        state = edge.to;
      }
    }),
    { numRuns: 30 },
  );
});

test('the fence stands before the commit point and the new colour opens only after it', () => {
  for (const verb of ['switch', 'rollback'] as const) {
    for (const kind of verb === 'switch' ? [undefined] : (['lossless', 'lossy'] as const)) {
      const { start, complete } = operationOf(verb, { lossy: kind === 'lossy' });
      expect(start.map(({ id }) => id)).toContain('fence');
      expect(start.map(({ id }) => id)).not.toContain('open');
      // What migrations held back is there before the first client.
      const before = verb === 'switch' ? ['commit-data'] : [];
      expect(complete.map(({ id }) => id).slice(0, before.length + 1)).toEqual([...before, 'open']);
      // Whatever was begun before the commit point and touches clients can be taken back.
      for (const id of ['hold', 'fence']) expect(start.find((step) => step.id === id)?.undo).toBeDefined();
    }
  }
});

test('a candidate whose folder has changed since is left and made again; one whose folder is not here, or that has none, is taken as it is', () => {
  const want = { live: 'blue', releases: { blue: '1', green: '2' }, canary: 0 } as const;
  const seen = { live: 'blue', liveRelease: '1', release: { from: '1', to: '2', folder: 'a' } } as const;
  const verbsOf = (state: State, live: Colour, folder?: string) =>
    plan({ ...want, live, folders: folder === undefined ? {} : { green: folder } }, { ...seen, state }).map(
      ({ verb }) => verb,
    );
  for (const state of ['migrated', 'verified', 'canary'] as const)
    expect(verbsOf(state, 'blue', 'b')).toEqual(['abandon', 'seed', 'migrate', 'verify']);
  expect(verbsOf('verified', 'green', 'b')).toEqual(['abandon', 'seed', 'migrate', 'verify', 'switch']);
  expect([verbsOf('verified', 'blue', 'a'), verbsOf('verified', 'blue')]).toEqual([[], []]);
  expect(verbsOf('seeded', 'blue', 'b')).toEqual(['migrate', 'verify']);
  expect(verbsOf('switched', 'green', 'b')).toEqual(verbsOf('switched', 'green', 'a'));
});

test('the release that was left is not planned again, whatever the declaration still says of live; any other one is', () => {
  const history = [
    { from: '0', to: '1', outcome: 'released' },
    { from: '1', to: '2', outcome: 'released' },
    { from: '2', to: '3', outcome: 'abandoned' },
  ];
  const seen = observedOf({ state: 'single', live: 'green', liveRelease: '2', release: null }, history);
  for (const live of colours) {
    expect(plan({ live, releases: { blue: '1', green: '2' }, canary: 0 }, seen)).toEqual([]);
    expect(plan({ live, releases: { blue: '3', green: '2' }, canary: 0 }, seen)).not.toEqual([]);
  }
  // What somebody asks for by name is done, and a name of long ago may come again.
  expect(plan({ live: 'green', releases: { blue: '1', green: '2' }, canary: 0 }, seen, 'seeded')).toHaveLength(1);
  expect(plan({ live: 'green', releases: { blue: '0', green: '2' }, canary: 0 }, seen)).not.toEqual([]);
});

test('back to one colour is asked for by name: abandon before the switchover, retire after it', () => {
  const to = (state: State) =>
    plan(
      { live: 'blue', releases: { blue: '1', green: '2' }, canary: 0 },
      { state, live: 'blue', liveRelease: '1', release: { from: '1', to: '2' } },
      'single',
    ).map(({ verb }) => verb);
  expect(states.map(to)).toEqual([[], ['abandon'], ['abandon'], ['abandon'], ['abandon'], ['retire']]);
});
