import { expect, test } from 'vitest';
import { streamName } from '../../../src/model/names.ts';
import { one, rows, type Client } from '../../../src/postgres/client.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { grantApply } from '../../../src/postgres/stream/applier.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { createSlot } from '../../../src/postgres/stream/slot.ts';
import { ensureReplicationRole } from '../../../src/postgres/stream/source.ts';
import { enableStream, subscribe, unsubscribe } from '../../../src/postgres/stream/subscription.ts';
import { unpublish } from '../../../src/postgres/stream/publication.ts';
import { connectionTo, testMajor, withServer } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

/** Where apply evaluates what the owner of a table wrote; each place tries to make him a superuser. */
const schema = `
  CREATE FUNCTION public.really() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN ALTER ROLE app SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN UPDATE verdigris.fence SET token = 99; EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN 1; END $$;
  CREATE FUNCTION public.become() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.really(); END $$;
  CREATE FUNCTION public.alone() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT public.become() $$;
  REVOKE ALL ON FUNCTION public.alone() FROM PUBLIC;
  CREATE DOMAIN public.checked AS int CHECK (VALUE > 0 AND public.alone() = 1);
  CREATE TABLE public.prey (id int PRIMARY KEY, value public.checked, CHECK (public.alone() = 1));
  CREATE INDEX ON public.prey ((id + public.alone()));
  CREATE TABLE public.parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE public.part PARTITION OF public.parted DEFAULT;
  CREATE TABLE public.barred (id int PRIMARY KEY); ALTER TABLE public.barred ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`;

const name = streamName('shop', 1, 'blue', 'green');

async function marked(live: Client, candidate: Client): Promise<void> {
  const { marker } = await one<{ marker: string }>(
    live,
    `INSERT INTO verdigris.barrier AS b (stream, marker) VALUES ($1, 1) ON CONFLICT (stream) DO UPDATE SET marker = b.marker + 1
    RETURNING marker`,
    [name],
  );
  await until(
    'the marker has arrived',
    async () => {
      const [found] = await rows<{ marker: string }>(
        candidate,
        'SELECT marker FROM verdigris.barrier WHERE stream = $1',
        [name],
      );
      return found?.marker === marker;
    },
    20_000,
  );
}

/** 12 lacks roles that write all data; 14 does not ask for privileges on apply, 15 does. 16 applies as the owner of each table. */
test.each([12, 14, ...(testMajor === 15 ? [15] : [])])(
  "PostgreSQL %i: what a table's owner wrote runs on apply as no superuser, and every row arrives",
  async (major) => {
    await withServer(
      async (server) => {
        await withOwnSession(connectionTo(server), 'test', async (client) => {
          await client.query('CREATE ROLE app');
          for (const database of ['live', 'candidate']) await client.query(`CREATE DATABASE ${database} OWNER app`);
          await ensureReplicationRole(client, undefined);
        });
        const [from, to] = [connectionTo(server, 'live'), connectionTo(server, 'candidate')];
        await withOwnSession(from, 'test', (live) =>
          withOwnSession(to, 'test', async (candidate) => {
            for (const database of [from, to]) {
              await withOwnSession(database, 'test', ensureControlSchema);
              await withClient(database, 'test', (client) =>
                client.query(`GRANT ALL ON SCHEMA public TO app; SET SESSION AUTHORIZATION app; ${schema}`),
              );
            }
            await publish(
              live,
              name,
              ['prey', 'parted', 'barred'].map((table) => ({ table: { schema: 'public', name: table } })),
            );
            await createSlot(live, name, 10_000);
            await subscribe(candidate, name, `host=${server.sockets} port=${server.port}`, 'live');
            await enableStream(candidate, name);
            const apart =
              'SET row_security = on; SET SESSION AUTHORIZATION app; ALTER TABLE public.barred NO FORCE ROW LEVEL SECURITY;';
            await live.query(`${apart} INSERT INTO public.prey VALUES (1, 1), (2, 2); INSERT INTO public.parted VALUES (1), (2);
              INSERT INTO public.barred VALUES (1); UPDATE public.prey SET value = 3 WHERE id = 1; DELETE FROM public.prey WHERE id = 2;
              RESET SESSION AUTHORIZATION`);
            await marked(live, candidate);
            const counts = `SELECT (SELECT count(*) FROM public.parted)::int AS parted, (SELECT count(*) FROM public.barred)::int AS barred`;
            expect(await one(candidate, counts)).toEqual({ parted: 2, barred: 1 });
            // A superuser would step into the index when he plans it.
            await candidate.query('SET SESSION AUTHORIZATION app');
            expect(await rows(candidate, 'SELECT id, value FROM public.prey')).toEqual([{ id: 1, value: 3 }]);
            await candidate.query('RESET SESSION AUTHORIZATION');
            // A partition that came later has no grant until the published tables are looked at again.
            await candidate.query(
              'SET SESSION AUTHORIZATION app; CREATE TABLE public.later PARTITION OF public.parted FOR VALUES FROM (5) TO (9); RESET SESSION AUTHORIZATION',
            );
            await grantApply(candidate);
            await live.query('TRUNCATE public.parted, public.barred');
            await marked(live, candidate);
            expect(await one(candidate, counts)).toEqual({ parted: 0, barred: 0 });
            expect(await one(candidate, "SELECT rolsuper AS is FROM pg_roles WHERE rolname = 'app'")).toEqual({
              is: false,
            });
            expect(await one(candidate, 'SELECT token::int FROM verdigris.fence')).toEqual({ token: 0 });
            const { roles } = await one<{ roles: string[] }>(
              candidate,
              'SELECT array_agg(rolname::text) AS roles FROM pg_roles WHERE rolsuper',
            );
            expect(roles).toEqual(['verdigris_operator']);
            await unsubscribe(candidate, name);
            await unpublish(live, name);
            // The traps do tell: planned over by the test, they make it so.
            await candidate.query('SELECT * FROM public.prey WHERE id + public.alone() = 2');
            expect(await one(candidate, "SELECT rolsuper AS is FROM pg_roles WHERE rolname = 'app'")).toEqual({
              is: true,
            });
          }),
        );
      },
      {},
      major,
    );
  },
);
