import { expect, test } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { populatedViews, refreshMaterializedViews } from '../../src/postgres/materialized-views.ts';
import { withDatabase } from '../support/postgres.ts';

/** Each is older than what it reads in the end. */
const views = `
  CREATE SCHEMA a; CREATE SCHEMA "Z z";
  CREATE TABLE public.sale (n int); INSERT INTO public.sale VALUES (1);
  CREATE FUNCTION a.total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint';
  CREATE FUNCTION a.twice() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 2 * a.total(); END';
  CREATE VIEW a.between AS SELECT 0::bigint AS c;
  CREATE MATERIALIZED VIEW a.of_of_function AS SELECT a.twice() AS c;
  CREATE MATERIALIZED VIEW a.of_function AS SELECT a.total() AS c;
  CREATE MATERIALIZED VIEW a.of_view AS SELECT c FROM a.between;
  CREATE MATERIALIZED VIEW "Z z"."base.1" AS SELECT count(*) AS c FROM public.sale;
  CREATE MATERIALIZED VIEW a.empty AS SELECT 1 AS c WITH NO DATA;
  CREATE OR REPLACE VIEW a.between AS SELECT c FROM "Z z"."base.1";
  CREATE OR REPLACE FUNCTION a.total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT c /* not a.of_view */ FROM "Z z"."base.1"'`;

test('materialized views are refreshed after those that they read, through views and functions', async () => {
  await withDatabase(async (client) => {
    await client.query(views);
    expect((await populatedViews(client)).map(({ name }) => name)).toEqual([
      'base.1',
      'of_view',
      'of_of_function',
      'of_function',
    ]);
    await client.query('INSERT INTO public.sale VALUES (2)');
    await refreshMaterializedViews(client);
    const all = '(SELECT c FROM a.of_of_function), (SELECT c FROM a.of_function), (SELECT c FROM a.of_view)';
    expect(await one(client, `SELECT ARRAY[${all}]::int[] AS c`)).toEqual({ c: [4, 2, 2] });
  });
});

test('words that lead round in a circle leave what views read by themselves as it is', async () => {
  await withDatabase(async (client) => {
    await client.query(`CREATE TABLE public.t (n int);
      CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1 -- for upper_one';
      CREATE VIEW public.between AS SELECT 1 AS n;
      CREATE MATERIALIZED VIEW public.upper_one AS SELECT n FROM public.between;
      CREATE MATERIALIZED VIEW public.lower_one AS SELECT public.f() AS n;
      CREATE OR REPLACE VIEW public.between AS SELECT n FROM public.lower_one`);
    expect((await populatedViews(client)).map(({ name }) => name)).toEqual(['lower_one', 'upper_one']);
  });
});
