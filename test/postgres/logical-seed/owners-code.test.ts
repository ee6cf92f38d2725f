import { expect, test } from 'vitest';
import { one } from '../../../src/postgres/client.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { copyRows } from '../../../src/postgres/logical-seed/copy-rows.ts';
import { readSeed } from '../../../src/postgres/logical-seed/ledger.ts';
import { planRanges, readSources } from '../../../src/postgres/logical-seed/ranges.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';

/** What the owner of tables may put into them, and how he would take more than he has. */
const schema = `
  CREATE FUNCTION public.really() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN ALTER ROLE app SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN UPDATE verdigris.seed_statement SET sql = 'ALTER ROLE app SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN 1; END $$;
  CREATE FUNCTION public.become(what text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.really(); END $$;
  CREATE FUNCTION public.alone(what text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT public.become(what) $$;
  REVOKE ALL ON FUNCTION public.alone(text) FROM PUBLIC;
  CREATE DOMAIN public.checked AS int CHECK (VALUE > 0 AND public.alone('domain') = 1);
  CREATE TABLE public.prey (id int PRIMARY KEY, value public.checked, CHECK (public.alone('check') = 1),
    twice int GENERATED ALWAYS AS (public.alone('generated')) STORED);
  CREATE INDEX ON public.prey ((id + public.become('index')));
  CREATE INDEX ON public.prey (value) WHERE public.become('predicate') = 1;
  ALTER TABLE public.prey ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY seen ON public.prey USING (public.become('policy') = 1)`;

test('rows that a seed copies are read and written by who can do no more than that, whatever their owner put into the tables', async () => {
  await withServer(async (server) => {
    await withOwnSession(connectionTo(server), 'test', (client) =>
      client.query('CREATE ROLE app').then(() => client.query('CREATE DATABASE live')),
    );
    const [live, candidate] = [connectionTo(server, 'live'), connectionTo(server, 'candidate')];
    await withOwnSession(live, 'test', (client) =>
      client.query(`GRANT CREATE ON SCHEMA public TO app; SET SESSION AUTHORIZATION app; ${schema}`),
    );
    await withOwnSession(connectionTo(server), 'test', (client) =>
      client.query('CREATE DATABASE candidate TEMPLATE live'),
    );
    await withOwnSession(candidate, 'test', async (client) => {
      await readSeed(client);
      await client.query("INSERT INTO verdigris.seed_statement VALUES (1, 'rest', '', 'SELECT 1')");
    });
    await withOwnSession(live, 'test', async (client) => {
      await client.query(
        'SET SESSION AUTHORIZATION app; SET row_security = on; ALTER TABLE public.prey NO FORCE ROW LEVEL SECURITY',
      );
      await client.query(
        'INSERT INTO public.prey SELECT i, i FROM generate_series(1, 100) i; RESET SESSION AUTHORIZATION',
      );
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const { snapshot } = await one<{ snapshot: string }>(client, 'SELECT pg_export_snapshot() AS snapshot');
      const copied = await copyRows(await planRanges(client, await readSources(client)), snapshot, {
        ...{ live, candidate, workers: 1, busy: 50 },
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
      expect(copied).toBe(100);
    });
    const superuser = () =>
      withOwnSession(connectionTo(server), 'test', (client) =>
        one(client, "SELECT rolsuper AS is FROM pg_roles WHERE rolname = 'app'"),
      );
    expect(await superuser()).toEqual({ is: false });
    await withOwnSession(candidate, 'test', async (client) =>
      expect(await one(client, 'SELECT sql FROM verdigris.seed_statement')).toEqual({ sql: 'SELECT 1' }),
    );
    await withOwnSession(candidate, 'test', async (client) =>
      expect(await one(client, 'SELECT count(*)::int AS n, sum(twice)::int AS twice FROM public.prey')).toEqual({
        n: 100,
        twice: 100,
      }),
    );
    // The test's own session was a superuser's, and planned over the table.
    expect(await superuser()).toEqual({ is: true });
  });
});
