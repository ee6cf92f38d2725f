import { expect, test } from 'vitest';
import { operationOf } from '../../src/operations/table.ts';
import { good } from '../support/verdict.ts';
import { nothing, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'fault 3: a seed killed after any of its steps is cleared by abandon, and leaves nothing',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async () => {
        for (const { id } of operationOf('seed').start) {
          expect(await bench.operators.run('seed', { dieAfter: id })).toEqual({ how: 'killed' });
          expect((await bench.journal()).operation?.steps.at(-1)).toMatchObject({ id });
          await bench.verb('abandon');
          expect(await bench.leftovers(), `killed after ${id}`).toEqual(nothing);
          await bench.settled({ state: 'single', release: null });
        }
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
