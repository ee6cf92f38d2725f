import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';
import { withEnvironment } from '../support/environment.ts';
import { crowds } from './crowds.ts';
import { acts } from './acts/index.ts';
import { attemptAll, beforehand, ready, stepsOf, type Crowd, type Verdict } from './trial.ts';
import { world } from './world.ts';

/** Behind these the gates of a switchover look once more: an act meets one of them. */
const before: readonly Verb[] = ['seed', 'migrate', 'verify'];
const verbs: readonly Verb[] = [...before, 'switch', 'rollback'];

/** Kinds of acts, to look at some of them again, by how many steps each is moved, the one step for all, or the first. */
const {
  VERDIGRIS_ADVERSARY: how,
  VERDIGRIS_ADVERSARY_ACTS: kinds = '',
  VERDIGRIS_ADVERSARY_MOVE: move = '0',
  VERDIGRIS_ADVERSARY_STEP: only,
  VERDIGRIS_ADVERSARY_FROM: from = beforehand,
} = process.env;

/**
 * Every act beside one of the verbs before the switchover, and beside it and a rollback, at steps that move on with the
 * acts, so that each step meets acts of all kinds. `VERDIGRIS_ADVERSARY=all`: at every step.
 */
function trials(verb: Verb): Crowd[] {
  const steps = [beforehand, ...stepsOf(verb)];
  const tried = acts.map((act, index) => ({ act, first: only ?? steps[(index + Number(move)) % steps.length] ?? '' }));
  const meets = (index: number): boolean =>
    how === 'all' || !before.includes(verb) || index % before.length === before.indexOf(verb);
  const some = tried.filter(({ act }, index) => (kinds === '' ? meets(index) : new RegExp(kinds).test(act.kind)));
  return steps.slice(Math.max(0, steps.indexOf(from))).flatMap((step) => {
    const here = some.filter(({ first }) => how === 'all' || first === step).map(({ act }) => act);
    return crowds(here).map((each) => ({ acts: each, verb, step }));
  });
}

const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));

/**
 * Runs trials in one world, up to the first fault: what comes after it would say little. Returns those that are left,
 * and the fault. Of a crowd, the acts that another's refusal kept from being judged are tried again without that one,
 * and both halves of one that failed as a whole, in a new world.
 */
async function inOneWorld(
  left: readonly Crowd[],
  count: (outcome: string) => void,
): Promise<{ rest: Crowd[]; fault?: string }> {
  return withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const rest = [...left];
    let fresh = false;
    let last: string | undefined;
    for (let trial = rest.shift(); trial; trial = rest.shift()) {
      const { acts: crowd, ...moment } = trial;
      const from = performance.now();
      const lines: string[] = [];
      const note = (kind: string, verdict: string): void => {
        count(verdict.split(':')[0] ?? '');
        lines.push(`${trial.verb.padEnd(8)} ${trial.step.padEnd(16)} ${kind.padEnd(44)} ${verdict}`);
      };
      const again = (some: readonly (typeof crowd)[]): Crowd[] =>
        some.filter(({ length }) => length > 0).map((each) => ({ ...moment, acts: each }));
      try {
        await ready(environment, trial.verb, fresh);
      } catch (error) {
        const fault = `no ${trial.verb} could begin after ${last ?? 'nothing'}: ${(error as Error).message}`;
        console.log(`FAULT: ${fault}`);
        // In a new world it is no fault of what was to come.
        return { rest: last === undefined ? rest : [trial, ...rest], fault };
      }
      last = crowd.map(({ kind }) => kind).join(' + ');
      let verdicts: Verdict[];
      try {
        verdicts = await attemptAll(environment, trial);
      } catch (error) {
        const { message } = error as Error;
        if (crowd.length > 1) {
          console.log(`${trial.verb} ${trial.step}: ${crowd.length} acts, in halves: ${message}`);
          const half = Math.ceil(crowd.length / 2);
          return { rest: [...again([crowd.slice(0, half), crowd.slice(half)]), ...rest] };
        }
        note(crowd[0]?.kind ?? '', `FAULT: ${message}`);
        console.log(lines.join('\n'));
        return { rest, fault: message };
      }
      const faulty = crowd.filter((_, index) => (verdicts[index] ?? '').startsWith('FAULT'));
      const unnamed = crowd.filter((_, index) => verdicts[index] === 'unnamed');
      const alone = crowd.length === 1;
      for (const [index, { kind }] of crowd.entries()) {
        const verdict = verdicts[index] ?? '';
        if (verdict !== 'unnamed' && (alone || !verdict.startsWith('FAULT'))) note(kind, verdict);
      }
      console.log([...lines, `${crowd.length} acts: ${Math.round(performance.now() - from)} ms`].join('\n'));
      if (faulty.length > 0) {
        const [fault = ''] = verdicts.filter((verdict) => verdict.startsWith('FAULT'));
        if (alone) return { rest, fault };
        console.log(`${trial.verb} ${trial.step}: by themselves: ${fault}`);
        return { rest: [...again(faulty.map((each) => [each])), ...again([unnamed]), ...rest] };
      }
      rest.unshift(...again([unnamed]));
      const behind = operationOf(trial.verb).complete.some(({ id }) => id === trial.step);
      // What both colours have needs no new candidate.
      fresh = crowd.some(({ undo }, index) => {
        const verdict = verdicts[index] ?? '';
        return (
          verdict === 'said' || (undo === undefined && (verdict === 'refused' || (behind && verdict === 'carried')))
        );
      });
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
