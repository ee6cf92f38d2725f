import { expect, test } from 'vitest';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { seedFromSnapshot } from '../../../src/postgres/logical-seed/snapshot.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { connectionTo } from '../../support/postgres.ts';
import { pgDump, stream, withWorld } from './world.ts';

/** By TRIGGER alone: a literal in a trigger's condition is evaluated by whoever makes the trigger. */
const attack = `SET SESSION AUTHORIZATION mallory;
  CREATE FUNCTION mallory.acts(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    BEGIN ALTER ROLE mallory SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END; RETURN 1; END $$;
  CREATE DOMAIN mallory.checked AS int CHECK (mallory.acts(VALUE) > 0); CREATE TYPE mallory.pair AS (a mallory.checked, b int);
  CREATE FUNCTION mallory.row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER sometimes BEFORE UPDATE ON public.prey FOR EACH ROW WHEN (ROW(OLD.id, 2) = '(1,1)'::mallory.pair) EXECUTE FUNCTION mallory.row()`;

const superusers = (client: Client) => rows(client, "SELECT FROM pg_roles WHERE rolsuper AND rolname = 'mallory'");

test.runIf(pgDump !== '')(
  'whoever may make triggers on a table of a superuser does not become one by a seed by rows: it is refused before it makes anything',
  async () => {
    await withWorld([15, 15], async ({ live, candidate, origin }) => {
      await withClient(connectionTo(candidate), 'test', (client) => client.query('CREATE ROLE mallory'));
      await origin.query(`CREATE ROLE mallory; CREATE SCHEMA mallory AUTHORIZATION mallory;
        CREATE TABLE public.prey (id int PRIMARY KEY); GRANT TRIGGER ON public.prey TO mallory`);
      await withClient(connectionTo(live, 'shop'), 'test', (client) => client.query(attack));
      await origin.query('ALTER ROLE mallory NOSUPERUSER');
      await withOwnSession(connectionTo(live, 'shop'), 'test', async (own) =>
        publish(
          own,
          stream,
          (await readTables(own)).map((table) => ({ table })),
        ),
      );
      const seed = () =>
        seedFromSnapshot({
          live: connectionTo(live, 'shop'),
          candidate: connectionTo(candidate, 'shop'),
          ...{ stream, pgDump, workers: 2, busy: 50, slotLimit: 20_000 },
          signal: new AbortController().signal,
          onProgress: () => undefined,
        });
      const refused = await seed().catch((error: unknown) => error);
      await withOwnSession(connectionTo(candidate, 'shop'), 'test', async (copy) => {
        expect(await superusers(copy)).toEqual([]);
        expect(refused).toMatchObject({
          id: 'seed-as-superuser',
          seen: 'TABLE public.prey of verdigris_operator calls ROUTINE mallory.acts(integer) of mallory',
        });
        expect(await rows(copy, "SELECT FROM pg_class WHERE relname = 'prey'")).toEqual([]);
        await origin.query('ALTER ROUTINE mallory.acts(int) OWNER TO verdigris_operator');
        await origin.query("CREATE OR REPLACE FUNCTION mallory.acts(n int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
        await seed();
        expect(await rows(copy, "SELECT FROM pg_trigger WHERE tgname = 'sometimes'")).toHaveLength(1);
      });
    });
  },
);
