import { expect } from 'vitest';
import { crashDirection, type Direction } from '../../src/model/recovery.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { operationOf, type PerformOptions } from '../../src/operations/table.ts';
import type { Step } from '../../src/operations/engine/operation.ts';
import type { Ending } from './operators.ts';
import type { FaultBench } from './support.ts';

/** What a chain of kills needs, on either platform. */
export type KillBench = Pick<FaultBench, 'journal' | 'operators' | 'harvest'>;

export interface Killed {
  readonly side: 'before' | 'after';
  readonly write: number;
  readonly direction: Direction;
  readonly phase: string;
  /** The step begun last; `opening` where none was. */
  readonly step: string;
}

interface ChainOptions {
  readonly options?: PerformOptions;
  readonly canary?: number;
}

/** More writes than any verb makes. */
const enough = 60;

/**
 * Kills a verb that goes on where it was, again and again, each run a little further: before and after every write that
 * the journal sees, in whatever phase, until a run ends by itself. Returns where it was killed.
 */
export async function killAlongTheWay(
  bench: KillBench,
  verb: Verb,
  { options = {}, canary = 0 }: ChainOptions = {},
): Promise<Killed[]> {
  const killed: Killed[] = [];
  const at = async (): Promise<string> => {
    const { operation, release } = await bench.journal();
    // A fact that was noted is not noted again: the writes of a repeated step are then fewer.
    return operation
      ? `${operation.phase} ${operation.steps.at(-1)?.id ?? 'opening'} ${Object.keys({ ...release, ...release?.seed })
          .sort()
          .join()}`
      : 'none';
  };
  const die = async (side: Killed['side'], write: number): Promise<Ending> => {
    const ending = await bench.operators.run(verb, {
      options: { early: true, ...options },
      canary,
      kill: { side, write, from: 'first' },
    });
    if (ending.how === 'killed') killed.push({ side, write, ...(await where(bench)) });
    // The last steps of a release begin a new timeline.
    await bench.harvest();
    return ending;
  };
  for (let write = 1; killed.length < 2 * enough;) {
    const before = await at();
    for (const side of ['before', 'after'] as const) {
      const ending = await die(side, write);
      // The last write closes the operation: nothing is left to continue.
      if (ending.how === 'killed' && side === 'after' && killed.at(-1)?.phase === 'none') return killed;
      if (ending.how === 'killed') continue;
      expect(ending, `${verb}, continued after ${JSON.stringify(killed.at(-1))}`).toEqual({ how: 'done' });
      return killed;
    }
    // A step that makes writes of its own is repeated from its beginning: go deeper into it.
    write = (await at()) === before ? write + 1 : 1;
  }
  throw new Error(`${verb} does not come to its end`);
}

/**
 * Kills a verb that is undone after a crash: before and after its first write, its second … as far as the commit point.
 * `settle` is called after each kill, with what the journal holds then.
 */
export async function killBeforeCommit(
  bench: KillBench,
  verb: Verb,
  settle: (killed: Killed) => Promise<void>,
  { options = {}, canary = 0 }: ChainOptions = {},
): Promise<Killed[]> {
  const all: Killed[] = [];
  for (let write = 1; write < enough; write++) {
    for (const side of ['before', 'after'] as const) {
      const ending = await bench.operators.run(verb, {
        options: { early: true, ...options },
        canary,
        kill: { side, write, from: 'opening' },
      });
      expect(ending, `${verb}, ${side} write ${write}`).toEqual({ how: 'killed' });
      const killed = { side, write, ...(await where(bench)) };
      await bench.harvest();
      // The commit point has passed: this one is rolled forward by whoever called.
      if (killed.direction === 'complete') return [...all, killed];
      all.push(killed);
      await settle(killed);
    }
  }
  throw new Error(`${verb} does not reach its commit point`);
}

/**
 * Steps that run while clients are held are announced by one write of the journal: they are killed at their beginning
 * and at their end, which no write marks. `settle` is called after each kill; without it the next run continues.
 */
export async function killAtSteps(
  bench: KillBench,
  verb: Verb,
  steps: readonly Step[],
  settle: (killed: Killed) => Promise<void>,
  { options = {}, canary = 0 }: ChainOptions = {},
): Promise<Killed[]> {
  const all: Killed[] = [];
  for (const { id } of steps) {
    for (const side of ['after', 'before'] as const) {
      const ending = await bench.operators.run(verb, {
        options: { early: true, ...options },
        canary,
        ...(side === 'after' ? { dieBefore: id } : { dieAfter: id }),
      });
      expect(ending, `${verb}, ${side} ${id}`).toEqual({ how: 'killed' });
      const { direction, phase } = await where(bench);
      await bench.harvest();
      const killed = { side, write: 0, direction, phase, step: id };
      all.push(killed);
      await settle(killed);
    }
  }
  return all;
}

/** Every step of the plan was cut short at least once after it began, and once before the next one did. */
export function coversThePlan(verb: Verb, killed: readonly Killed[], options: PerformOptions = {}): void {
  const operation = operationOf(verb, { early: true, ...options });
  for (const phase of ['start', 'complete'] as const) {
    for (const { id } of operation[phase]) {
      const there = killed.filter((one) => one.phase === phase && one.step === id).map(({ side }) => side);
      expect(there, `${verb} ${phase} ${id}`).toEqual(expect.arrayContaining(['before', 'after']));
    }
  }
}

async function where(bench: KillBench): Promise<Pick<Killed, 'direction' | 'phase' | 'step'>> {
  const { operation } = await bench.journal();
  if (!operation) return { direction: 'continue', phase: 'none', step: 'none' };
  return {
    direction: crashDirection(operation),
    phase: operation.phase,
    step: operation.steps.at(-1)?.id ?? 'opening',
  };
}
