import { expect, test } from 'vitest';
import type { State, Verb } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';
import { good } from '../support/verdict.ts';
import { nothing, served, withBench } from './support.ts';

const timeout = 900_000;

/** One way through all verbs but the lossy rollback. */
const way: readonly (readonly [Verb, State])[] = [
  ['seed', 'seeded'],
  ['migrate', 'migrated'],
  ['verify', 'verified'],
  ['canary', 'canary'],
  ['switch', 'switched'],
  ['rollback', 'migrated'],
  ['abandon', 'single'],
  ['seed', 'seeded'],
  ['migrate', 'migrated'],
  ['verify', 'verified'],
  ['switch', 'switched'],
  ['retire', 'single'],
];

/** Once in the middle and once behind the commit point; at every entry of the journal: `npm run test:chains`. */
test(
  'faults 3, 11, 18, 23 to 25: each verb, killed in its plan and behind its commit point, is undone, left or ended; nothing is lost or left',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const [verb, to] of way) {
          const canary = verb === 'canary' ? 50 : 0;
          const { start, complete } = operationOf(verb, { early: true });
          const [middle, behind] = [start[Math.floor(start.length / 2)], complete[0]];
          const { state, live } = await bench.journal();
          if (middle) {
            expect(await bench.operators.run(verb, { canary, dieAfter: middle.id }), verb).toEqual({ how: 'killed' });
            await bench.recover();
            expect(await bench.journal(), verb).toMatchObject({ state, live });
            await served(workload, 3);
          }
          if (verb === 'retire' || verb === 'abandon') await bench.harvest();
          expect(
            await bench.operators.run(verb, { canary, ...(behind ? { dieBefore: behind.id } : {}) }),
            verb,
          ).toEqual({ how: behind ? 'killed' : 'done' });
          if (behind) {
            expect((await bench.journal()).operation, verb).toMatchObject({ phase: 'complete' });
            await bench.recover();
          }
          await bench.settled({ state: to });
          await bench.harvest();
          if (to === 'single') expect(await bench.leftovers(), verb).toEqual(nothing);
          await served(workload, 3);
        }
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'green', release: null, stream: null });
    });
  },
);
