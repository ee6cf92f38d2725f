import { expect, test } from 'vitest';
import { parseScript } from '../../../src/migrations/engines/sql/parse.ts';

async function statements(text: string) {
  return parseScript(Buffer.from(text), '1.sql');
}

test('a table that is made of rows is its structure, and rows that have a place', async () => {
  const parts = async (text: string) => (await statements(text)).map((each) => each.text);
  expect(await parts('CREATE TABLE best (n) WITH (fillfactor = 70) AS SELECT count(*) FROM sold WITH DATA;')).toEqual([
    'CREATE TABLE best (n) WITH (fillfactor = 70) AS SELECT count(*) FROM sold  WITH NO DATA',
    'INSERT INTO best SELECT count(*) FROM sold ',
  ]);
  expect(await parts('SELECT a, b INTO shop."New" FROM sold WHERE a > 1')).toEqual([
    'CREATE TABLE shop."New" AS SELECT a, b  FROM sold WHERE a > 1 WITH NO DATA',
    'INSERT INTO shop."New" SELECT a, b  FROM sold WHERE a > 1',
  ]);
  for (const whole of [
    'CREATE TEMP TABLE t AS SELECT * FROM sold',
    'CREATE TABLE IF NOT EXISTS t AS SELECT * FROM sold',
    'CREATE TABLE t AS SELECT 1',
    'CREATE TABLE t AS SELECT * FROM sold WITH NO DATA',
  ])
    expect(await parts(whole)).toEqual([whole]);
});

test('a change of type computes other values where its USING is more than the column, cast', async () => {
  const computed = async (using: string) =>
    (await statements(`ALTER TABLE t ALTER x TYPE text USING ${using}`))[0]?.computed?.column;
  for (const using of ['x', 'x::text', 't.x::bigint::text', "x AT TIME ZONE 'UTC'"])
    expect(await computed(using), using).toBeUndefined();
  for (const using of ['lower(x)', 'x * 100', 'CASE WHEN x THEN 1 END', 'coalesce(x, 0)', 'y'])
    expect(await computed(using), using).toBe('x');
});
