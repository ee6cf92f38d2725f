import { expect, test } from 'vitest';
import { statements, unnoticed } from './noticed.ts';

test('every change of a live database that a switchover does not carry is noticed at a glance, and named', async () => {
  const all = await statements();
  expect(all.length).toBeGreaterThan(150);
  expect(await unnoticed(all)).toEqual([]);
});
