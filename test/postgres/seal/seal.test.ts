import { expect, test } from 'vitest';
import { statements, unnoticed } from './noticed.ts';

test('changes of a live database that a switchover does not carry are noticed at a glance, and named: a sample', async () => {
  const sample = (await statements()).filter((_, at) => at % 15 === 0);
  expect(sample.length).toBeGreaterThan(9);
  expect(await unnoticed(sample)).toEqual([]);
});
