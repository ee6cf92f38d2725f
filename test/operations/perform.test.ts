import { expect, test } from 'vitest';
import { transitions, verbs, type Verb } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/perform.ts';

/** Edges of the table, or of the operations, as `from verb to`. */
const edge = (from: string, verb: Verb, lossy: boolean, to: string): string =>
  `${from} ${verb}${lossy ? ' (lossy)' : ''} ${to}`;

test('the operations walk the edges of the table and no others', () => {
  const walked = verbs.flatMap((verb) =>
    (verb === 'rollback' ? [false, true] : [false]).flatMap((lossy) => {
      const operation = operationOf(verb, { lossy });
      expect(operation.verb).toBe(verb);
      return operation.from.map((from) => edge(from, verb, lossy, operation.to));
    }),
  );
  const declared = transitions.map(({ from, verb, kind, to }) => edge(from, verb, kind === 'lossy', to));
  expect(walked.sort()).toEqual(declared.sort());
});
