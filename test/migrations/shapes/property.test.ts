import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withServer } from '../../support/postgres.ts';
import { change, trial } from './trial.ts';

const numRuns = Number(process.env['VERDIGRIS_SHAPES'] ?? 40);
const sequences = fc.array(change, { minLength: 5, maxLength: 15 });

test(
  'of any sequence of changes, what is let through stops apply in neither direction',
  { timeout: Math.max(900_000, numRuns * 20_000) },
  async () => {
    await withServer((server) =>
      fc.assert(
        fc.asyncProperty(sequences, fc.nat(1000), async (changes, seed) => {
          expect(await trial(server, changes, seed)).toMatchObject({ forward: 'arrived', reverse: 'arrived' });
        }),
        { numRuns, endOnFailure: true },
      ),
    );
  },
);
