import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { withEnvironment } from '../support/environment.ts';
import { acts, world } from './acts.ts';
import { attempt, ready, stepsOf, type Trial } from './trial.ts';

const verbs: readonly Verb[] = ['switch', 'rollback'];

/**
 * Every act once a verb, at steps that move on with the acts, so that each step meets acts of all kinds.
 * `VERDIGRIS_ADVERSARY=all`: at every step.
 */
function trials(verb: Verb): Trial[] {
  const steps = stepsOf(verb);
  if (process.env['VERDIGRIS_ADVERSARY'] === 'all')
    return acts.flatMap((act) => steps.map((step) => ({ act, verb, step })));
  return acts.map((act, index) => ({ act, verb, step: steps[index % steps.length] ?? '' }));
}

const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));

/**
 * Runs trials in one world, up to the first fault: what comes after it would say little. Returns those that are left,
 * and the fault.
 */
async function inOneWorld(left: readonly Trial[]): Promise<{ rest: Trial[]; fault?: string }> {
  return withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const rest = [...left];
    let fresh = false;
    for (let trial = rest.shift(); trial; trial = rest.shift()) {
      const from = performance.now();
      const print = (outcome: string): void =>
        console.log(
          `${trial.verb.padEnd(8)} ${trial.step.padEnd(16)} ${trial.act.kind.padEnd(36)} ${outcome} ${Math.round(performance.now() - from)} ms`,
        );
      try {
        await ready(environment, trial.verb, fresh);
        const outcome = await attempt(environment, trial);
        print(outcome);
        fresh = outcome !== 'kept out' && trial.act.undo === undefined;
      } catch (error) {
        print('FAULT');
        return { rest, fault: String((error as Error).message) };
      }
    }
    return { rest };
  });
}

for (const verb of verbs)
  test(`what goes on beside a ${verb}, at every step: carried, kept out, or refused by name`, async () => {
    const faults: string[] = [];
    for (let rest = trials(verb); rest.length > 0;) {
      const world = await inOneWorld(rest);
      rest = world.rest;
      if (world.fault !== undefined) faults.push(world.fault);
    }
    expect(faults).toEqual([]);
  }, 3_600_000);
