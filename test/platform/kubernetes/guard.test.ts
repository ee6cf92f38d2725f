import { expect, test } from 'vitest';
import { holdOf, holdPurpose, parseHold } from '../../../src/platform/poolers/hold.ts';
import { Vigil } from '../../../src/platform/kubernetes/guard/vigil.ts';

const holder = (sign: string, lease = 3_000) => ({ paused: true, holders: [{ token: 7, lease, sign }] });

test('a hold that is renewed is left alone, however long it lasts', () => {
  const vigil = new Vigil();
  for (let now = 0; now < 60_000; now += 500)
    expect(vigil.overdue(holder(`second ${Math.floor(now / 1_000)}`), now)).toBe(false);
});

test('a hold that falls silent is overdue after its lease, and no longer once somebody resumes', () => {
  const vigil = new Vigil();
  expect(vigil.overdue(holder('a'), 0)).toBe(false);
  expect(vigil.overdue(holder('a'), 4_000)).toBe(false);
  expect(vigil.overdue(holder('a'), 4_001)).toBe(true);
  expect(vigil.overdue(holder('b'), 4_500)).toBe(false);
  expect(vigil.overdue({ paused: false, holders: [] }, 9_000)).toBe(false);
  expect(vigil.overdue({ paused: true, holders: [] }, 9_500)).toBe(false);
});

test('a hold whose connection is gone is overdue after half a second, and whose it was is known', () => {
  const vigil = new Vigil();
  expect(vigil.overdue(holder('a', 60_000), 0)).toBe(false);
  expect(vigil.overdue({ paused: true, holders: [] }, 1_000)).toBe(false);
  expect(vigil.overdue({ paused: true, holders: [] }, 1_501)).toBe(true);
  expect(vigil.token).toBe(7);
  expect(vigil.overdue({ paused: false, holders: [] }, 2_000)).toBe(false);
  expect(vigil.token).toBeUndefined();
});

test('a pause that nobody ever claimed is overdue after three seconds', () => {
  const vigil = new Vigil();
  expect(vigil.overdue({ paused: true, holders: [] }, 1_000)).toBe(false);
  expect(vigil.overdue({ paused: true, holders: [] }, 4_000)).toBe(false);
  expect(vigil.overdue({ paused: true, holders: [] }, 4_001)).toBe(true);
  expect(vigil.token).toBeUndefined();
});

test('whose a hold is, and for how long, is said in its application name and read back', () => {
  const mark = { token: 12, lease: 3_000, since: '2026-01-01T00:00:00.000Z' };
  expect(`verdigris/${holdPurpose(mark)}`.length).toBeLessThan(64);
  expect(parseHold(`verdigris/${holdPurpose(mark)}`)).toEqual(mark);
  expect(parseHold('verdigris/probe')).toBeUndefined();
});

test('whoever is no user of the admin console holds nobody, whatever he calls himself', () => {
  const name = 'verdigris/hold 1 86400000 now';
  const [console, database] = ['verdigris_console', 'pgbouncer'];
  expect(holdOf({ user: console, database, application_name: name })).toMatchObject({ token: 1 });
  expect(holdOf({ user: 'shop_app', database, application_name: name })).toBeUndefined();
  expect(holdOf({ user: console, database: 'shop', application_name: name })).toBeUndefined();
});
