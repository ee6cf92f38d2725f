import { expect, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
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
  expect(await parts('CREATE TABLE IF NOT EXISTS s.t (n) AS SELECT a FROM sold')).toEqual([
    'CREATE TABLE IF NOT EXISTS s.t (n) AS SELECT a FROM sold WITH NO DATA',
    'INSERT INTO s.t SELECT * FROM ( SELECT a FROM sold\n) AS made WHERE NOT EXISTS (SELECT FROM s.t)',
  ]);
  expect(await parts('CREATE TABLE t AS SELECT * FROM sold_ones()')).toEqual([
    'CREATE TABLE t AS SELECT * FROM sold_ones() WITH NO DATA',
    'INSERT INTO t SELECT * FROM sold_ones()',
  ]);
  for (const whole of [
    'CREATE TEMP TABLE t AS SELECT * FROM sold',
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

test('a note of a place is followed, or refused where it stands before nothing that it could be of', async () => {
  const note = '-- verdigris: place=live reason=x';
  const places = async (text: string) => (await statements(text)).map((each) => each.note?.place);
  expect(await places(`${note}\nUPDATE a SET b = 1; UPDATE a SET b = 2;`)).toEqual(['live', undefined]);
  expect(await places(`UPDATE a SET b = 1; /* verdigris: place=switch reason=x */ UPDATE a SET b = 2`)).toEqual([
    undefined,
    'switch',
  ]);
  expect(await places(`BEGIN;\n${note}\r\nUPDATE a SET b = 1;\nCOMMIT;`)).toEqual(['live']);
  expect(await places(`SELECT '${note}'`)).toEqual([undefined]);
  for (const [bad, why] of Object.entries({
    [`${note}\nBEGIN; UPDATE a SET b = 1; COMMIT;`]: 'writes no rows',
    [`${note}\nCREATE TABLE a (b int);`]: 'writes no rows',
    [`UPDATE a\n${note}\nSET b = 1;`]: 'inside a statement',
    [`UPDATE a SET b = 1;\n${note}`]: 'no statement after it',
    [`${note}\n${note}\nUPDATE a SET b = 1;`]: 'second one',
    ['-- verdigris: place=nowhere reason=x\nUPDATE a SET b = 1;']: 'not of the form',
  })) {
    await expect(statements(bad), bad).rejects.toMatchObject({ id: 'place-note', seen: expect.stringContaining(why) });
    const { findings } = await lintFiles([{ path: '1.sql', text: bad }]);
    expect(
      findings.filter(({ rule }) => rule === 'malformed-note').map(({ message }) => message),
      bad,
    ).toEqual([expect.stringContaining(why)]);
  }
});

test('what a file sets is known to the statements behind it: for the transaction at hand alone, but not how long they may wait', async () => {
  const sets = async (text: string) =>
    (await statements(`${text}; UPDATE a SET b = 1`)).at(-1)?.sets?.map((set) => set.text);
  expect(await sets("SET TimeZone = 'UTC'; SET SESSION search_path TO a, b; set local x.y to 3")).toEqual([
    "SET LOCAL TimeZone = 'UTC'",
    'SET LOCAL search_path TO a, b',
    'SET LOCAL x.y to 3',
  ]);
  expect(await sets("RESET search_path; SELECT pg_catalog.set_config('x.y', 'it''s', false)")).toEqual([
    'SET LOCAL "search_path" TO DEFAULT',
    "SELECT pg_catalog.set_config('x.y', 'it''s', true)",
  ]);
  expect(
    await sets("SET lock_timeout = '1s'; RESET ALL; SET TRANSACTION READ ONLY; SET SESSION AUTHORIZATION a"),
  ).toEqual([]);
});

test('what a block executes is read where its text is constant, and a table that it makes of rows is written', async () => {
  const written = async (body: string) =>
    (await statements(`DO $$ BEGIN ${body}; END $$`))[0]?.data?.targets.map(({ name, columns }) => [name, columns]);
  expect(await written("EXECUTE 'UPDATE a SET b = 1'")).toEqual([['a', ['b']]]);
  expect(await written("EXECUTE format('DELETE FROM %I.%I', 's', 'A') || ' WHERE true'")).toEqual([['A', undefined]]);
  expect(await written('CREATE TABLE a AS SELECT * FROM b')).toEqual([['a', undefined]]);
});

test('what a savepoint takes back has no place: it runs in its file and is gone', async () => {
  const written = async (text: string) =>
    (await statements(text)).flatMap(({ data, note, sets = [] }) =>
      data ? [[data.targets.map(({ name }) => name).join(), note?.place, ...sets.map((set) => set.name)]] : [],
    );
  expect(await written('SAVEPOINT a; DELETE FROM t; RELEASE a; DELETE FROM u')).toEqual([
    ['t', undefined],
    ['u', undefined],
  ]);
  const note = '-- verdigris: place=live reason=x\n';
  expect(await written(`SAVEPOINT a; SET x.y = 1; ${note} DELETE FROM t; ROLLBACK TO a; DELETE FROM u`)).toEqual([
    ['u', undefined],
  ]);
  expect(await written('SAVEPOINT a; CREATE TEMP TABLE t (); ROLLBACK TO a; DELETE FROM t')).toEqual([
    ['t', undefined],
  ]);
  const nested = 'SAVEPOINT a; DELETE FROM t; SAVEPOINT b; DELETE FROM u; SAVEPOINT a; DELETE FROM v;';
  expect(await written(`${nested} ROLLBACK TO a; DELETE FROM w`)).toEqual([
    ['t', undefined],
    ['u', undefined],
    ['w', undefined],
  ]);
  expect(await written(`${nested} RELEASE b; ROLLBACK TO SAVEPOINT a; ROLLBACK TO a; DELETE FROM w`)).toEqual([
    ['w', undefined],
  ]);
});
