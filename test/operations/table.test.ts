import { expect, test } from 'vitest';
import { pathOf, transitions } from '../../src/model/transitions.ts';
import { operationOf, operationOfRecord } from '../../src/operations/table.ts';

test.each(transitions)('$from $verb $to is run, and recovered, by an operation of that verb and kind', (row) => {
  const { from, verb, kind, to } = row;
  const operation = operationOf(verb, { lossy: kind === 'lossy' });
  expect(operation).toMatchObject(kind ? { verb, kind } : { verb });
  expect(pathOf(operation).from).toContain(from);
  expect(pathOf(operation).to).toBe(to);
  expect(operationOfRecord(row)).toMatchObject(kind ? { verb, kind } : { verb });
});
