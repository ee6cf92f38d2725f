import { expect, test } from 'vitest';
import { possible, renderTransitions, states, transitions } from '../../src/model/transitions.ts';

test('the edges, as reviewed', () => {
  expect(renderTransitions()).toMatchInlineSnapshot(`
    "single --seed--> seeded: a release needs a copy of the live colour that follows it
    seeded --migrate--> migrated: the schema changes on the candidate first, where nobody waits for it
    migrated --verify--> verified: no client may use a copy that was not verified
    verified --verify--> verified: a comparison ages; it may be renewed
    verified --canary--> canary: reads show what a comparison cannot: plans, caches, software
    canary --canary--> canary: the share of reads moves in steps
    canary --verify--> verified: a renewed proof takes the readers back first
    verified --switch--> switched: writes move, once
    canary --switch--> switched: writes move, once
    switched --rollback (lossless)--> migrated: writes move back over reverse replication; the candidate follows again
    switched --rollback (lossy)--> single: reverse replication no longer works: the former live colour serves again, what it lacks is exported
    switched --retire--> single: the release is accepted; the retained colour is no longer needed
    seeded --abandon--> single: before the switchover a release can always be cancelled
    migrated --abandon--> single: before the switchover a release can always be cancelled
    verified --abandon--> single: before the switchover a release can always be cancelled
    canary --abandon--> single: before the switchover a release can always be cancelled"
  `);
});

test('every state can be reached from single and left again', () => {
  const reached = new Set(['single']);
  for (const _ of states) for (const { from, to } of transitions) if (reached.has(from)) reached.add(to);
  expect([...reached].sort()).toEqual([...states].sort());
  for (const state of states) expect(possible(state).length).toBeGreaterThan(0);
});

test('every state before the switchover can be abandoned, and none after it', () => {
  for (const state of ['seeded', 'migrated', 'verified', 'canary'] as const)
    expect(possible(state).map(({ verb }) => verb)).toContain('abandon');
  for (const state of ['single', 'switched'] as const)
    expect(possible(state).map(({ verb }) => verb)).not.toContain('abandon');
});
