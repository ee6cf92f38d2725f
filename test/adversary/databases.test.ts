import { expect, test } from 'vitest';
import { withEnvironment } from '../support/environment.ts';
import { inBilling } from '../support/two-databases.ts';
import { acts } from './acts/index.ts';
import { attempt, beforehand, ready, type Trial, type World } from './trial.ts';
import { world } from './world.ts';

/** What goes on in the further one of two databases that are released together, and what becomes of it. */
const sample: readonly (Omit<Trial, 'act'> & { readonly kind: string; readonly outcome: string })[] = [
  { kind: 'table moved to another schema', verb: 'seed', step: 'position', outcome: 'refused' },
  { kind: 'rows written under an origin', verb: 'seed', step: 'slot', outcome: 'carried' },
  { kind: 'columns exchanged by their names', verb: 'switch', step: beforehand, outcome: 'refused' },
  { kind: 'index made', verb: 'switch', step: 'look', outcome: 'refused' },
  { kind: 'large object made', verb: 'switch', step: 'look', outcome: 'refused' },
  { kind: 'transaction prepared', verb: 'switch', step: 'settle', outcome: 'refused' },
  { kind: 'partition truncated and filled with as many rows', verb: 'switch', step: 'look', outcome: 'refused' },
];

test('what goes on in the further database of a release is carried, or refused by name', async () => {
  const declaration = { databases: ['billing'] };
  await withEnvironment({ declaration, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const further: World = {
      ...environment,
      database: 'billing',
      on: (colour, use) => inBilling(environment, colour, use),
    };
    await further.on('blue', (client) => client.query(world));
    const outcomes: string[] = [];
    for (const { kind, verb, step } of sample) {
      const act = acts.find((each) => each.kind === kind);
      if (!act) throw new Error(`no act: ${kind}`);
      await ready(further, verb, false);
      const outcome = await attempt(further, { act, verb, step });
      console.log(`${verb.padEnd(8)} ${step.padEnd(16)} ${kind.padEnd(40)} ${outcome}`);
      outcomes.push(`${kind}: ${outcome.split(':')[0]}`);
    }
    expect(outcomes).toEqual(sample.map(({ kind, outcome }) => `${kind}: ${outcome}`));
  });
});
