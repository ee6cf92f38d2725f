import { expect, test } from 'vitest';
import { withEnvironment } from '../support/environment.ts';
import { acts } from './acts/index.ts';
import { attempt, beforehand, ready, type Trial } from './trial.ts';
import { world } from './world.ts';

/** One of each kind of outcome; all of it is in matrix.test.ts. */
const sample: readonly (Omit<Trial, 'act'> & { readonly kind: string })[] = [
  { kind: 'table moved to another schema', verb: 'seed', step: 'position' },
  { kind: 'columns exchanged by their names', verb: 'switch', step: beforehand },
  { kind: 'index made', verb: 'switch', step: 'look' },
  { kind: 'rows written by a walsender', verb: 'switch', step: 'hold' },
  { kind: 'password changed', verb: 'switch', step: 'settle' },
  { kind: 'rows of a materialized view read again', verb: 'rollback', step: 'prepare-reverse' },
  { kind: 'sequence set, not called', verb: 'switch', step: 'carry' },
];

test('what goes on beside a seed, a switchover or a rollback is carried, kept out, or refused by name: a sample', async () => {
  const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));
  await withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const outcomes: string[] = [];
    for (const { kind, verb, step } of sample) {
      const act = acts.find((each) => each.kind === kind);
      if (!act) throw new Error(`no act: ${kind}`);
      await ready(environment, verb, false);
      outcomes.push(`${kind}: ${await attempt(environment, { act, verb, step })}`);
    }
    expect(outcomes).toEqual([
      'table moved to another schema: refused',
      'columns exchanged by their names: refused',
      'index made: refused',
      'rows written by a walsender: carried',
      'password changed: carried',
      'rows of a materialized view read again: carried',
      'sequence set, not called: carried',
    ]);
  });
});
