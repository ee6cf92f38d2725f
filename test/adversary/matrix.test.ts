import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { withEnvironment } from '../support/environment.ts';
import { acts } from './acts/index.ts';
import { attempt, beforehand, ready, stepsOf, type Trial } from './trial.ts';
import { world } from './world.ts';

/** Behind these the gates of a switchover look once more: an act meets one of them. */
const before: readonly Verb[] = ['seed', 'migrate', 'verify'];
const verbs: readonly Verb[] = [...before, 'switch', 'rollback'];

/** Kinds of acts, to look at some of them again, by how many steps each is moved, or the one step for all. */
const {
  VERDIGRIS_ADVERSARY: how,
  VERDIGRIS_ADVERSARY_ACTS: some = '',
  VERDIGRIS_ADVERSARY_MOVE: move = '0',
  VERDIGRIS_ADVERSARY_STEP: only,
} = process.env;

/**
 * Every act beside one of the verbs before the switchover, and beside it and a rollback, at steps that move on with the
 * acts, so that each step meets acts of all kinds. `VERDIGRIS_ADVERSARY=all`: at every step.
 */
function trials(verb: Verb): Trial[] {
  const steps = [beforehand, ...stepsOf(verb)];
  const tried = acts.map((act, index) => ({ act, first: only ?? steps[(index + Number(move)) % steps.length] ?? '' }));
  const meets = (index: number): boolean =>
    how === 'all' || !before.includes(verb) || index % before.length === before.indexOf(verb);
  return tried
    .filter(({ act }, index) => (some === '' ? meets(index) : new RegExp(some).test(act.kind)))
    .flatMap(({ act, first }) => (how === 'all' ? steps : [first]).map((step) => ({ act, verb, step })));
}

const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));

/**
 * Runs trials in one world, up to the first fault: what comes after it would say little. Returns those that are left,
 * and the fault.
 */
async function inOneWorld(
  left: readonly Trial[],
  count: (outcome: string) => void,
): Promise<{ rest: Trial[]; fault?: string }> {
  return withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const rest = [...left];
    let fresh = false;
    for (let trial = rest.shift(); trial; trial = rest.shift()) {
      const from = performance.now();
      const print = (outcome: string): void => {
        count(outcome.split(':')[0] ?? '');
        console.log(
          `${trial.verb.padEnd(8)} ${trial.step.padEnd(16)} ${trial.act.kind.padEnd(40)} ${outcome} ${Math.round(performance.now() - from)} ms`,
        );
      };
      try {
        await ready(environment, trial.verb, fresh);
        const outcome = await attempt(environment, trial);
        print(outcome);
        fresh = !outcome.startsWith('kept out') && trial.act.undo === undefined;
      } catch (error) {
        print(`FAULT: ${String((error as Error).message)}`);
        return { rest, fault: String((error as Error).message) };
      }
    }
    return { rest };
  });
}

for (const verb of verbs)
  test(`what goes on beside ${verb}, at every step: carried, kept out, or refused by name`, async () => {
    const faults: string[] = [];
    const counted = new Map<string, number>();
    for (let rest = trials(verb); rest.length > 0;) {
      const world = await inOneWorld(rest, (outcome) => counted.set(outcome, (counted.get(outcome) ?? 0) + 1));
      rest = world.rest;
      if (world.fault !== undefined) faults.push(world.fault);
    }
    console.log(`${verb}: ${[...counted].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`);
    expect(faults).toEqual([]);
  }, 3_600_000);
