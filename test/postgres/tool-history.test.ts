import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { label, readTables } from '../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { operatorRole } from '../../src/model/names.ts';
import { readersOf } from '../../src/postgres/readers.ts';
import { importLost } from '../../src/postgres/import-lost.ts';
import { carryHistories, rememberHistories } from '../../src/postgres/tool-history/carry.ts';
import { lostHistories } from '../../src/postgres/tool-history/lost.ts';
import { failure } from '../support/failure.ts';
import { connectionTo, temporaryFolder, withServer } from '../support/postgres.ts';

/** Two databases as a seed leaves them: one history, written down, on both. */
async function withPair(history: string, use: (live: Client, candidate: Client) => Promise<void>): Promise<void> {
  await withServer(async (server) => {
    await withOwnSession(connectionTo(server), 'test', async (client) => {
      await client.query('CREATE DATABASE live');
      await withOwnSession(connectionTo(server, 'live'), 'test', async (live) => {
        await ensureControlSchema(live);
        await live.query(history);
        await rememberHistories(live);
      });
      await client.query('CREATE DATABASE candidate TEMPLATE live');
    });
    await withOwnSession(connectionTo(server, 'live'), 'test', (live) =>
      withOwnSession(connectionTo(server, 'candidate'), 'test', (candidate) => use(live, candidate)),
    );
  });
}

/** As a switchover does it: what is written is written by who may write rows and nothing else. */
const carried = (from: Client, to: Client): Promise<number> =>
  carryHistories(from, to, async (use) => {
    const { locker } = await readersOf(to, {
      host: to.host,
      port: to.port,
      user: operatorRole,
      database: to.database ?? '',
    });
    return withOwnSession(locker, 'test', use);
  });

const alembic =
  "CREATE TABLE public.alembic_version (version_num text PRIMARY KEY); INSERT INTO public.alembic_version VALUES ('1')";
const versions = async (client: Client) =>
  (await rows<{ v: string }>(client, 'SELECT version_num AS v FROM public.alembic_version ORDER BY 1')).map(
    ({ v }) => v,
  );

test('a history is known by its columns or declared; a table of such a name with others is data', async () => {
  await withServer(async (server) => {
    const history = ['app.done'];
    await withOwnSession({ ...connectionTo(server), history }, 'test', async (client) => {
      await client.query(`CREATE SCHEMA app; CREATE SCHEMA sqitch;
        CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY);
        CREATE TABLE app.alembic_version (id int PRIMARY KEY, version_num text, note text);
        CREATE TABLE public.migrations (id int PRIMARY KEY, "timestamp" bigint NOT NULL, name text NOT NULL);
        CREATE TABLE app.migrations (id int PRIMARY KEY, from_country text, to_country text);
        CREATE TABLE public.schema_version (version int);
        CREATE TABLE app.schema_version (version int PRIMARY KEY);
        CREATE TABLE sqitch.changes (change_id text PRIMARY KEY, change text, project text, note text);
        CREATE TABLE app.changes (change_id text PRIMARY KEY, change text, project text);
        CREATE TABLE public.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
        CREATE TABLE app.done (id int PRIMARY KEY);
        CREATE TABLE public.done (id int PRIMARY KEY)`);
      expect((await readTables(client)).map(label)).toEqual([
        'app.alembic_version',
        'app.changes',
        'app.migrations',
        'app.schema_version',
        'public.done',
      ]);
    });
    await withOwnSession(connectionTo(server), 'test', async (client) =>
      expect((await readTables(client)).map(label)).toContain('app.done'),
    );
  });
});

test('tables that further tools make are known by the shape that their sources give them', async () => {
  await withServer((server) =>
    withOwnSession(connectionTo(server), 'test', async (client) => {
      await client.query(`SET search_path = public; CREATE SCHEMA marv; CREATE SCHEMA theirs;
        CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
        CREATE TABLE marv.migrations (level int, comment text, "timestamp" timestamptz, checksum text,
          namespace text DEFAULT 'default', PRIMARY KEY (level, namespace));
        CREATE TABLE marv.migrations_lock (dummy_column int NOT NULL DEFAULT 1);
        CREATE TABLE mikro_orm_migrations (id serial PRIMARY KEY, name text, executed_at timestamptz);
        CREATE TABLE adonis_schema (id serial PRIMARY KEY, name text, batch int, migration_time timestamptz);
        CREATE TABLE adonis_schema_versions (version int PRIMARY KEY);
        CREATE TABLE schemaversion (version bigint PRIMARY KEY, name text, md5 text, run_at timestamptz);
        CREATE TABLE strapi_migrations (id serial PRIMARY KEY, name text, "time" timestamp);
        CREATE TABLE payload_migrations (id serial PRIMARY KEY, name text, batch numeric,
          updated_at timestamptz, created_at timestamptz);
        CREATE TABLE _yoyo_migration (migration_hash text PRIMARY KEY, migration_id text, applied_at_utc timestamp);
        CREATE TABLE _yoyo_log (id text PRIMARY KEY, migration_hash text, migration_id text, operation text,
          username text, hostname text, comment text, created_at_utc timestamp);
        CREATE TABLE _yoyo_version (version int PRIMARY KEY, installed_at_utc timestamp);
        CREATE TABLE yoyo_lock (locked int DEFAULT 1 PRIMARY KEY, ctime timestamp, pid int NOT NULL);
        CREATE TABLE migratehistory (id serial PRIMARY KEY, name text, migrated_at timestamp);
        CREATE TABLE aerich (id serial PRIMARY KEY, version text, app text, content jsonb);
        CREATE TABLE theirs.migrations_lock (id int PRIMARY KEY, until timestamptz);
        CREATE TABLE theirs.aerich (id int PRIMARY KEY, version text, app text, content jsonb, price int)`);
      expect((await readTables(client)).map(label)).toEqual(['theirs.aerich', 'theirs.migrations_lock']);
    }),
  );
});

test("what the live colour's tool wrote into its history is carried, once and whenever asked, and stays beside what the release ran", async () => {
  await withPair(
    `CREATE TABLE public.goose_db_version (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, version_id bigint, is_applied bool, tstamp timestamptz);
    INSERT INTO public.goose_db_version (version_id, is_applied) VALUES (1, true)`,
    async (live, candidate) => {
      await candidate.query('INSERT INTO public.goose_db_version OVERRIDING SYSTEM VALUE VALUES (20, 3, true, now())');
      expect(await carried(live, candidate)).toBe(0);
      await live.query('INSERT INTO public.goose_db_version (version_id, is_applied) VALUES (2, true)');
      expect(await carried(live, candidate)).toBe(1);
      expect(await carried(live, candidate)).toBe(0);
      await live.query('DELETE FROM public.goose_db_version WHERE version_id = 2');
      expect(await carried(live, candidate)).toBe(1);
      // The way back: what is written there from now on, and nothing of what the release ran.
      await candidate.query('INSERT INTO public.goose_db_version OVERRIDING SYSTEM VALUE VALUES (21, 4, true, now())');
      expect(await carried(candidate, live)).toBe(1);
      const found = await rows<{ id: number }>(live, 'SELECT id FROM public.goose_db_version ORDER BY 1');
      expect(found.map(({ id }) => id)).toEqual([1, 21]);
    },
  );
});

test('one version row: the same step on both sides is one, different steps are refused by name', async () => {
  await withPair(alembic, async (live, candidate) => {
    await candidate.query("UPDATE public.alembic_version SET version_num = '2'");
    expect(await carried(live, candidate)).toBe(0);
    await live.query("UPDATE public.alembic_version SET version_num = '2'");
    expect(await carried(live, candidate)).toBe(0);
    expect(await versions(candidate)).toEqual(['2']);
  });
  await withPair(alembic, async (live, candidate) => {
    await live.query("UPDATE public.alembic_version SET version_num = '1b'");
    await candidate.query("UPDATE public.alembic_version SET version_num = '2'");
    expect(await failure(carried(live, candidate))).toMatchObject({
      id: 'history-not-carried',
      seen: expect.stringMatching(/public\.alembic_version.*"version_num": "1b"/),
    });
    expect(await versions(candidate)).toEqual(['2']);
    await candidate.query("UPDATE public.alembic_version SET version_num = '1'");
    await carried(live, candidate);
    await live.query("UPDATE public.alembic_version SET version_num = '1c'");
    await carried(live, candidate);
    expect(await versions(candidate)).toEqual(['1c']);
  });
});

test('a key that both tools took is refused, and nothing of it is kept', async () => {
  await withPair(
    'CREATE TABLE public.django_migrations (id int PRIMARY KEY, app text, name text, applied timestamptz)',
    async (live, candidate) => {
      await live.query(
        "INSERT INTO public.django_migrations VALUES (1, 'shop', 'fix', now()), (2, 'shop', 'more', now())",
      );
      await candidate.query("INSERT INTO public.django_migrations VALUES (2, 'shop', 'release', now())");
      expect(await failure(carried(live, candidate))).toMatchObject({ id: 'history-not-carried' });
      expect(await rows(candidate, 'SELECT id FROM public.django_migrations')).toEqual([{ id: 2 }]);
    },
  );
});

test("a table that is a history by its shape has none of its owner's code run as a superuser", async () => {
  const become = 'public.become()';
  await withPair(
    `CREATE ROLE app; GRANT CREATE ON SCHEMA public TO app; SET SESSION AUTHORIZATION app;
    CREATE FUNCTION public.really() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
      BEGIN ALTER ROLE app SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
      RETURN 1; END $$;
    CREATE FUNCTION public.become() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.really(); END $$;
    CREATE TYPE public.boxed AS (v text);
    CREATE FUNCTION public.unboxed(public.boxed) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.to_json(${become}) $$;
    CREATE CAST (public.boxed AS json) WITH FUNCTION public.unboxed(public.boxed) AS IMPLICIT;
    CREATE DOMAIN public.checked AS text CHECK (VALUE IS NOT NULL AND ${become} = 1);
    CREATE TABLE public.alembic_version (version_num public.checked);
    CREATE TABLE public.refinery_schema_history (version int, name public.boxed, applied_on public.checked,
      checksum int DEFAULT ${become}, CHECK (${become} = 1));
    CREATE INDEX ON public.refinery_schema_history (version) WHERE ${become} = 1;
    CREATE INDEX ON public.refinery_schema_history ((version + ${become}));
    INSERT INTO public.refinery_schema_history VALUES (1, ROW('one'), 'now', 2);
    RESET SESSION AUTHORIZATION`,
    async (live, candidate) => {
      await live.query(
        "SET SESSION AUTHORIZATION app; INSERT INTO public.refinery_schema_history VALUES (2, ROW('two'), 'now', 2)",
      );
      await live.query('DELETE FROM public.refinery_schema_history WHERE version = 1; RESET SESSION AUTHORIZATION');
      expect(await carried(live, candidate)).toBe(2);
      expect(await rows(live, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")).toEqual([{ rolsuper: false }]);
      expect(
        await rows(candidate, "SELECT line FROM verdigris.tool_history, jsonb_path_query(rows, '$.version') AS line"),
      ).toEqual([{ line: '2' }]);
      // A superuser who plans over the table steps into it.
      await live.query('SELECT FROM public.refinery_schema_history');
      expect(await rows(live, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")).toEqual([{ rolsuper: true }]);
    },
  );
});

test('what a tool wrote since the switchover is exported by a lossy rollback, as it is, and brought back', async () => {
  const odd =
    "CREATE TABLE public.schema_migrations (version text PRIMARY KEY, dirty bool); INSERT INTO public.schema_migrations VALUES ('1')";
  const folder = await temporaryFolder();
  try {
    await withPair(`${alembic}; ${odd}`, async (kept, lost) => {
      await lost.query(
        "UPDATE public.alembic_version SET version_num = '2'; INSERT INTO public.schema_migrations VALUES (E'a\\tb\\\\n\u2028')",
      );
      const lines = await lostHistories(lost);
      expect(lines.map(({ table, kind, row, before }) => [table, kind, row ?? before])).toEqual([
        ['public.alembic_version', 'deleted', { version_num: '1' }],
        ['public.alembic_version', 'inserted', { version_num: '2' }],
        ['public.schema_migrations', 'inserted', { version: 'a\tb\\n\u2028', dirty: null }],
      ]);
      const file = path.join(folder, 'lost.jsonl');
      await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      expect(await importLost(kept, file)).toEqual({ rows: 3, tables: 2 });
      for (const table of ['alembic_version', 'schema_migrations'])
        expect(await rows(kept, `SELECT * FROM public.${table} ORDER BY 1`)).toEqual(
          await rows(lost, `SELECT * FROM public.${table} ORDER BY 1`),
        );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
