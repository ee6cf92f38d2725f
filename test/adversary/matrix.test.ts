import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { withEnvironment } from '../support/environment.ts';
import { acts, world } from './acts.ts';
import { attempt, ready, stepsOf, type Trial } from './trial.ts';

const verbs: readonly Verb[] = ['switch', 'rollback'];

/** Every act once a verb, at steps that move on with the acts, so that each step meets acts of all kinds. `VERDIGRIS_ADVERSARY=all`: at every step. */
function trials(verb: Verb): Trial[] {
  const steps = stepsOf(verb);
  if (process.env['VERDIGRIS_ADVERSARY'] === 'all')
    return acts.flatMap((act) => steps.map((step) => ({ act, verb, step })));
  return acts.map((act, index) => ({ act, verb, step: steps[index % steps.length] ?? '' }));
}

for (const verb of verbs)
  test(`what goes on beside a ${verb}, at every step: carried, kept out, or refused by name`, async () => {
    const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));
    const faults: string[] = [];
    await withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
      let fresh = false;
      for (const trial of trials(verb)) {
        const from = performance.now();
        const outcome: string = await ready(environment, verb, fresh)
          .catch(() => ready(environment, verb, true))
          .then(() => attempt(environment, trial))
          .catch((error: unknown) => {
            faults.push(String((error as Error).message));
            return 'FAULT';
          });
        fresh = outcome === 'FAULT' || (outcome === 'refused' && trial.act.undo === undefined);
        console.log(
          `${verb.padEnd(8)} ${trial.step.padEnd(16)} ${trial.act.kind.padEnd(36)} ${outcome} ${Math.round(performance.now() - from)} ms`,
        );
      }
    });
    expect(faults).toEqual([]);
  }, 3_600_000);
