import pg from 'pg';
import { expect, test } from 'vitest';
import { withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** A trigger that sets something for the session of whoever inserts: the statement does not show it. */
const hidden = `
  CREATE TABLE public.noted (id int PRIMARY KEY);
  CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.noted', NEW.id::text, false); RETURN NEW; END $$;
  CREATE TRIGGER note BEFORE INSERT ON public.noted FOR EACH ROW EXECUTE FUNCTION public.note();
  GRANT SELECT, INSERT ON public.noted TO shop_app`;

test(
  'a lossy rollback asks each session too, where triggers that were made since the switchover set something in it',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
      await bench.on('green', (client) => client.query(hidden));
      const session = new pg.Client(await bench.as('shop_app'));
      await session.connect();
      await session.query('INSERT INTO noted VALUES (7)');
      await bench.verb('rollback', { lossy: true, acceptLoss: true });
      const { rows } = await session.query<{ noted: string }>("SELECT current_setting('app.noted', true) AS noted");
      expect(rows).toEqual([{ noted: '7' }]);
      await session.end();
    });
  },
);
