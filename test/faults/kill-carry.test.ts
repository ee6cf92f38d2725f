import pg from 'pg';
import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { good } from '../support/verdict.ts';
import { served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** A trigger that sets something for the session of whoever inserts: the statement does not show it. */
const hidden = `
  CREATE TABLE public.noted (id int PRIMARY KEY);
  CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.noted', NEW.id::text, false); RETURN NEW; END $$;
  CREATE TRIGGER note BEFORE INSERT ON public.noted FOR EACH ROW EXECUTE FUNCTION public.note();
  GRANT SELECT, INSERT ON public.noted TO shop_app`;

test(
  'switch and rollback, killed right before and right after the router is told of hidden code, can be repeated: sessions keep what triggers set',
  { timeout },
  async () => {
    await withBench({ fill: async (client) => void (await client.query(hidden)) }, async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      const session = new pg.Client(await bench.as('shop_app'));
      await session.connect();
      const seen = async () =>
        (await session.query<{ noted: string }>("SELECT current_setting('app.noted', true) AS noted")).rows[0]?.noted;
      const { verdict } = await bench.exercise(async (workload) => {
        let number = 0;
        for (const [verb, live] of [
          ['switch', 'blue'],
          ['rollback', 'green'],
        ] as const satisfies readonly (readonly [string, Colour])[]) {
          for (const dieTelling of ['before', 'after'] as const) {
            expect(await bench.operators.run(verb, { dieTelling }), `${verb}, ${dieTelling}`).toEqual({
              how: 'killed',
            });
            const { live: serving, operation } = await bench.journal();
            expect({ serving, phase: operation?.phase }).toEqual({ serving: live, phase: 'start' });
            await served(workload);
            await session.query('INSERT INTO noted VALUES ($1)', [++number]);
          }
          await bench.verb(verb);
          await served(workload);
          expect(await seen(), verb).toBe(String(number));
        }
      });
      await session.end();
      expect(verdict).toMatchObject(good);
    });
  },
);

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
