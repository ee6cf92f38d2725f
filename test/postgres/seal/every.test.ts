import { expect, test } from 'vitest';
import { statements, unnoticed, unnoticedOfPart } from './noticed.ts';

test('every change of a live database that a switchover does not carry is noticed at a glance, and named', async () => {
  const all = await statements();
  expect(all.length).toBeGreaterThan(150);
  expect(await unnoticed(all)).toEqual([]);
});

test('of a part, a glance sees whatever reading all of it finds', async () => {
  const { faults, seen } = await unnoticedOfPart(await statements());
  expect(faults).toEqual([]);
  expect(seen).toBeGreaterThan(60);
});
