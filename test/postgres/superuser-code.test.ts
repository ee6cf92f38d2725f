import { expect, test } from 'vitest';
import { superuserCode } from '../../src/postgres/superuser-code.ts';
import { withDatabase } from '../support/postgres.ts';

/** Of each, what a superuser makes, and whether rows that are applied reach it too. Code in it is f, of mallory. */
const reached: Readonly<Record<string, readonly [sql: string, applied: boolean, object?: string]>> = {
  'an index': ['CREATE TABLE t (id int); CREATE INDEX ON t (m.f(id))', true],
  'an index of a part': ['CREATE TABLE t (id int); CREATE INDEX ON t (id) WHERE m.f(id) > 0', true],
  'a check': ['CREATE TABLE t (id int CHECK (m.f(id) > 0))', true],
  'a generated column': ['CREATE TABLE t (id int, n int GENERATED ALWAYS AS (m.f(id)) STORED)', true],
  'an operator': ['CREATE TABLE t (id int CHECK (id OPERATOR(m.###) 1 > 0))', true],
  'a domain': ['CREATE TABLE t (id m.d)', true],
  'a domain in an array in a row': ['CREATE TABLE t (id m.many)', true],
  'a domain of a superuser': [
    'CREATE DOMAIN e AS int CHECK (m.f(VALUE) > 0); CREATE TABLE t (id e)',
    true,
    'TABLE public.t',
  ],
  'a function of a superuser between': [
    'CREATE FUNCTION g(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN m.f($1); CREATE TABLE t (id int CHECK (g(id) > 0))',
    true,
    'TABLE public.t',
  ],
  'a trigger on apply': [
    'CREATE TABLE t (id int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION m.row(); ALTER TABLE t ENABLE ALWAYS TRIGGER g',
    true,
  ],
  statistics: ['CREATE TABLE t (id int, n int); CREATE STATISTICS s ON (m.f(id)), n FROM t', true],
  'a partition key': ['CREATE TABLE t (id int) PARTITION BY RANGE (m.f(id))', true],
  'a partition of hers': [
    'CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE p (id int CHECK (m.f(id) > 0)); ' +
      'ALTER TABLE p OWNER TO mallory; ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (0) TO (1)',
    true,
  ],
  'a value': ["CREATE TABLE t (id m.pair DEFAULT '(1,1)'::m.pair)", true],
  'a condition of a trigger': [
    "CREATE TABLE t (id int); CREATE FUNCTION r() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; " +
      "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (ROW(OLD.id, 1) = '(1,1)'::m.pair) EXECUTE FUNCTION r()",
    false,
  ],
  'a policy': ["CREATE TABLE t (id int); CREATE POLICY p ON t USING (ROW(id, 1) = '(1,1)'::m.pair)", false],
  'a materialized view of a view': [
    'CREATE VIEW v AS SELECT m.f(1) AS n; CREATE MATERIALIZED VIEW t AS SELECT * FROM v WITH NO DATA',
    false,
    'MATERIALIZED VIEW public.t',
  ],
  'a foreign key to a table of hers': [
    'CREATE TABLE p (id int PRIMARY KEY); CREATE INDEX ON p (m.f(id)); ALTER TABLE p OWNER TO mallory; CREATE TABLE t (id int REFERENCES p)',
    false,
  ],
  'a value of a function': [
    "CREATE FUNCTION t(a m.pair DEFAULT '(1,1)'::m.pair) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    false,
    'ROUTINE public.t(m.pair)',
  ],
};

const made = `CREATE ROLE mallory; CREATE SCHEMA m AUTHORIZATION mallory;
  CREATE FUNCTION m.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
  CREATE FUNCTION m.g(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
  CREATE OPERATOR m.### (LEFTARG = int, RIGHTARG = int, FUNCTION = m.g);
  CREATE DOMAIN m.d AS int CHECK (m.f(VALUE) > 0); CREATE TYPE m.pair AS (a m.d, b int); CREATE TYPE m.many AS (a m.pair[]);
  CREATE FUNCTION m.row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  ALTER DOMAIN m.d OWNER TO mallory; ALTER TYPE m.pair OWNER TO mallory; ALTER TYPE m.many OWNER TO mallory;
  ALTER FUNCTION m.f OWNER TO mallory; ALTER FUNCTION m.g OWNER TO mallory; ALTER FUNCTION m.row OWNER TO mallory`;

/** What is a superuser's, or hers alone, or evaluated as whoever asks. */
const harmless = `CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; 
  CREATE TYPE m.mood AS ENUM ('x'); ALTER TYPE m.mood OWNER TO mallory;
  CREATE TABLE t (id int CHECK (f(id) > 0) DEFAULT m.f(1), mood m.mood); CREATE VIEW v AS SELECT m.f(1) AS n;
  CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION m.row();
  CREATE TABLE own (id int CHECK (m.f(id) > 0)); ALTER TABLE own OWNER TO mallory`;

test('whatever a superuser owns and PostgreSQL evaluates is seen, where others own the code', async () => {
  await withDatabase(async (client) => {
    await client.query(made);
    for (const [what, [sql, applied, object = 'TABLE public.t']] of Object.entries(reached)) {
      await client.query(`BEGIN; SET LOCAL search_path = public; ${sql}; SET LOCAL search_path = pg_catalog`);
      for (const seeds of [true, false]) {
        const found = await superuserCode(client, { made: seeds });
        expect(
          found.map((each) => each.object),
          `${what} ${String(seeds)}`,
        ).toEqual(seeds || applied ? expect.arrayContaining([object]) : []);
        expect(new Set(found.map(({ by }) => by))).toEqual(new Set(seeds || applied ? ['mallory'] : []));
      }
      await client.query('ROLLBACK');
    }
    await client.query(`SET search_path = public; ${harmless}; SET search_path = pg_catalog`);
    expect(await superuserCode(client, { made: true })).toEqual([]);
    // Who is no superuser here can be one where it will be made.
    expect((await superuserCode(client, { made: true, superusers: ['mallory'] })).length).toBe(0);
    await client.query('CREATE ROLE ops; ALTER TABLE public.own OWNER TO ops');
    expect(await superuserCode(client, { made: true, superusers: ['ops'] })).toMatchObject([
      { object: 'TABLE public.own' },
    ]);
  });
});
