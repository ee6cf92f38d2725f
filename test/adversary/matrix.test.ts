import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { withEnvironment } from '../support/environment.ts';
import { together, type Act } from './acts/act.ts';
import { acts } from './acts/index.ts';
import { attempt, beforehand, ready, stepsOf, type Trial } from './trial.ts';
import { world } from './world.ts';

/** Behind these the gates of a switchover look once more: an act meets one of them. */
const before: readonly Verb[] = ['seed', 'migrate', 'verify'];
const verbs: readonly Verb[] = [...before, 'switch', 'rollback'];

/** Kinds of acts, to look at some of them again, by how many steps each is moved, or the one step for all. */
const {
  VERDIGRIS_ADVERSARY: how,
  VERDIGRIS_ADVERSARY_ACTS: kinds = '',
  VERDIGRIS_ADVERSARY_MOVE: move = '0',
  VERDIGRIS_ADVERSARY_STEP: only,
} = process.env;

/** Acts that are tried together. */
const crowd = 16;

/**
 * Every act beside one of the verbs before the switchover, and beside it and a rollback, at steps that move on with the
 * acts, so that each step meets acts of all kinds. `VERDIGRIS_ADVERSARY=all`: at every step. Those that are expected to
 * go the same way at a step are tried together.
 */
function trials(verb: Verb): Trial[] {
  const steps = [beforehand, ...stepsOf(verb)];
  const tried = acts.map((act, index) => ({ act, first: only ?? steps[(index + Number(move)) % steps.length] ?? '' }));
  const meets = (index: number): boolean =>
    how === 'all' || !before.includes(verb) || index % before.length === before.indexOf(verb);
  const some = tried.filter(({ act }, index) => (kinds === '' ? meets(index) : new RegExp(kinds).test(act.kind)));
  return steps.flatMap((step) => {
    const here = some.filter(({ first }) => how === 'all' || first === step).map(({ act }) => act);
    const fenced = steps.includes('fence') && steps.indexOf(step) >= steps.indexOf('fence');
    const alike = here.filter(({ undo }) => fenced || undo === undefined);
    const alone = here.filter((act) => !alike.includes(act));
    return [...crowds(alike), ...alone].map((act) => ({ act, verb, step }));
  });
}

/** Acts in crowds, neighbours in the list apart from each other: they are about the same objects. */
function crowds(some: readonly Act[]): Act[] {
  const count = Math.ceil(some.length / crowd);
  return Array.from({ length: count }, (_, place) => together(some.filter((__, index) => index % count === place)));
}

/** Of a trial of several acts that did not go the same way: its halves. */
function halves({ act: { parts = [] }, ...where }: Trial): Trial[] {
  const half = Math.ceil(parts.length / 2);
  return [parts.slice(0, half), parts.slice(half)].map((some) => ({ ...where, act: together(some) }));
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
      const { parts = [trial.act] } = trial.act;
      const print = (outcome: string): void => {
        for (const { kind } of parts) {
          count(outcome.split(':')[0] ?? '');
          console.log(`${trial.verb.padEnd(8)} ${trial.step.padEnd(16)} ${kind.padEnd(40)} ${outcome}`);
        }
        console.log(`${Math.round(performance.now() - from)} ms`);
      };
      const apart = (why: string): { rest: Trial[] } => {
        console.log(`${trial.verb.padEnd(8)} ${trial.step.padEnd(16)} ${parts.length} acts, in halves: ${why}`);
        return { rest: [...halves(trial), ...rest] };
      };
      try {
        await ready(environment, trial.verb, fresh);
        const outcome = await attempt(environment, trial);
        if (parts.length > 1 && !/^(carried|kept out)/.test(outcome)) return apart(outcome);
        print(outcome);
        fresh = outcome === 'said' || (!outcome.startsWith('kept out') && trial.act.undo === undefined);
      } catch (error) {
        const { message } = error as Error;
        if (parts.length > 1) return apart(message);
        print(`FAULT: ${message}`);
        return { rest, fault: message };
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
