import { expect, test } from 'vitest';
import { runsHiddenCode } from '../../src/postgres/hidden-code.ts';
import { withDatabase } from '../support/postgres.ts';

/** In this order, each on top of those before that changed nothing. */
const objects: readonly (readonly [what: string, hidden: boolean, sql: string])[] = [
  ['a table', false, 'CREATE TABLE public.t (id int, v text)'],
  [
    'a trigger that looks at rows alone',
    false,
    `CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE public.t SET v = 'x' WHERE false; RETURN NEW; END $$;
    CREATE TRIGGER audit BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.audit()`,
  ],
  ['a view', false, 'CREATE VIEW public.seen AS SELECT upper(v) AS v FROM public.t'],
];

const changing: typeof objects = [
  [
    'a function that a trigger may call',
    true,
    `CREATE FUNCTION public.note(x text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('app.note', x, false) $$`,
  ],
  ['a view that sets', true, `CREATE VIEW public.enter AS SELECT set_config('app.x', 'y', false) AS x`],
  [
    'a trigger that listens',
    true,
    `CREATE FUNCTION public.hear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LISTEN x; RETURN NEW; END $$;
    CREATE TRIGGER hear BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.hear()`,
  ],
  [
    'a default that locks',
    true,
    `CREATE FUNCTION public.locks() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT pg_advisory_lock(1); SELECT 1; END;
    ALTER TABLE public.t ADD n int DEFAULT public.locks()`,
  ],
];

test('what ordinary statements may run that changes a session is found by what runs it', async () => {
  await withDatabase(async (client) => {
    for (const [what, hidden, sql] of objects) {
      await client.query(sql);
      expect(await runsHiddenCode(client), what).toBe(hidden);
    }
    for (const [what, hidden, sql] of changing) {
      await client.query(`BEGIN; ${sql}`);
      expect(await runsHiddenCode(client), what).toBe(hidden);
      await client.query('ROLLBACK');
    }
    // Called by name its text is known to be unseen.
    await client.query(`DROP TABLE public.t CASCADE; DROP FUNCTION public.audit();
      CREATE FUNCTION public.note() RETURNS text LANGUAGE sql AS $$ SELECT set_config('app.note', 'x', false) $$`);
    expect(await runsHiddenCode(client)).toBe(false);
  });
});
