import { appendFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { one } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { looksMutable, unqualifiedNames } from '../../../src/postgres/preflight/bodies.ts';
import { workersFinding, workingLibraries } from '../../../src/postgres/preflight/background.ts';
import { connectionTo, testMajor, withDatabase } from '../../support/postgres.ts';
import { findingOf, fixes, sound } from './support.ts';
import { sqlState } from '../../support/failure.ts';

test('unqualified names are found in every function that apply runs, and only there', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE SCHEMA "A b"; CREATE TYPE "A b".mood AS ENUM ('x'); CREATE TABLE "A b".rates (x int PRIMARY KEY);
      CREATE FUNCTION "A b".helper(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
      SET search_path = public, "A b"; SET check_function_bodies = off;
      CREATE FUNCTION in_check(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT helper($1) > 0';
      CREATE FUNCTION in_generated(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE m mood; BEGIN RETURN $1; END $$;
      CREATE FUNCTION in_domain(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT ''x''::mood IS NOT NULL';
      CREATE FUNCTION in_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO rates VALUES (NEW.a); RETURN NULL; END $$;
      CREATE FUNCTION fine(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ -- FROM rates
        BEGIN RETURN "A b".helper($1) + length('FROM rates') + (WITH rates AS (SELECT 1 AS x) SELECT x FROM rates); END $$;
      CREATE FUNCTION set_path(int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = "A b" AS 'SELECT helper($1)';
      CREATE FUNCTION bound(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN helper($1);
      CREATE FUNCTION unused(int) RETURNS int LANGUAGE sql AS 'SELECT helper($1)';
      CREATE DOMAIN checked AS int CHECK (in_domain(VALUE));
      CREATE TABLE t (id int PRIMARY KEY, a int CHECK (in_check(a)), d checked, g int GENERATED ALWAYS AS (in_generated(a)) STORED);
      CREATE INDEX i1 ON t (fine(a)); CREATE INDEX i2 ON t (set_path(a)); CREATE INDEX i3 ON t (bound(a));
      CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION in_trigger(); ALTER TABLE t ENABLE REPLICA TRIGGER g; RESET search_path`);
    await client.query("SET search_path = ''");
    expect(await sqlState(client, 'INSERT INTO public.t (id, a) VALUES (1, 1)')).toBe('42704');
    await client.query('RESET search_path');
    const finding = await fixes(client, 'unqualified-names', {
      grade: 'warn',
      objects: [
        'public.in_check(integer) uses helper; run by constraint t_a_check on public.t',
        'public.in_domain(integer) uses mood; run by constraint checked_check of public.checked',
        'public.in_generated(integer) uses mood; run by column public.t.g',
        'public.in_trigger() uses rates; run by trigger g on public.t',
      ],
    });
    expect(finding.fix).toContain(
      'ALTER FUNCTION "public"."in_check"(integer) SET search_path = "A b", "public", pg_temp;',
    );
    await client.query("SET search_path = ''");
    expect(await sqlState(client, 'INSERT INTO public.t (id, a, d) VALUES (1, 1, 1)')).toBe('succeeded');
  }, sound);
});

test('reading bodies', () => {
  const names = (body: string) => unqualifiedNames(body).map(({ kind, name }) => `${kind} ${name}`);
  expect(names('SELECT a.b FROM s.t JOIN "U u" ON true')).toEqual(['relation U u']);
  expect(names("x := E'it\\'s FROM t'; y := 'FROM ''t'''; /* FROM t */ z := $1::kind")).toEqual(['type kind']);
  expect(names('DECLARE r orders%ROWTYPE; BEGIN PERFORM f(1); UPDATE ONLY o SET x = 1')).toContain('relation orders');
  expect(names('SELECT id, orders FROM a AS x, b y, s.c, d WHERE e = 1')).toEqual([
    'relation a',
    'relation b',
    'relation d',
  ]);
  expect(names('INSERT INTO t (a, b) SELECT c FROM g(1)')).toEqual(['relation t', 'function g']);
  expect(names('SELECT pg_catalog.lower(x), f (y)')).toEqual(['function f']);
  expect(
    ['SELECT now()', 'SELECT CURRENT_DATE', 'SELECT max(x) FROM t', "RETURN current_setting('x')"].map(looksMutable),
  ).toEqual([true, true, true, true]);
  expect(['SELECT $1 + 1', "SELECT 'now()'", 'SELECT $1 IS DISTINCT FROM $2 -- FROM t'].map(looksMutable)).toEqual([
    false,
    false,
    false,
  ]);
  expect(workingLibraries('pg_stat_statements, $libdir/pg_cron.so, "timescaledb"')).toEqual(['pg_cron', 'timescaledb']);
  expect(workersFinding(['pg_cron'])).toMatchObject([
    { id: 'background-workers', grade: 'warn', objects: ['pg_cron'] },
  ]);
});

test('generated columns that only say that they are immutable', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE FUNCTION liar(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + extract(year FROM now())::int';
      CREATE FUNCTION honest(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 + 1;
      CREATE TABLE t (id int PRIMARY KEY, a int GENERATED ALWAYS AS (liar(id)) STORED, b int GENERATED ALWAYS AS (honest(id)) STORED)`);
    expect((await findingOf(client, 'generated-columns'))?.objects).toEqual([
      'public.t.a: public.liar(id)',
      'public.t.b: public.honest(id)',
    ]);
    await fixes(client, 'generated-column-mutable', { grade: 'warn', objects: ['public.t.a by public.liar(integer)'] });
    await client.query('ALTER TABLE t ALTER COLUMN b DROP EXPRESSION');
    expect(await findingOf(client, 'generated-columns')).toBeUndefined();
  }, sound);
});

test('jobs and background workers that change the schema', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint PRIMARY KEY, schedule text, command text, active bool);
      INSERT INTO cron.job VALUES (1, '@daily', 'CREATE TABLE p PARTITION OF t', true), 
      (2, '* * * * *', 'DELETE FROM t', true), (3, '* * * * *', 'DROP TABLE x', false), (4, '@hourly', 'CALL partman.run_maintenance_proc()', true);
      CREATE SCHEMA "Part m"; CREATE TABLE "Part m".part_config (parent_table text PRIMARY KEY,
      automatic_maintenance text); INSERT INTO "Part m".part_config VALUES ('public.events', 'on'), ('public.old', 'off')`);
    expect((await findingOf(client, 'scheduled-jobs'))?.objects).toEqual(['job 2, * * * * *: DELETE FROM t']);
    await fixes(client, 'background-ddl', {
      grade: 'warn',
      objects: ['job 1, @daily: CREATE TABLE p PARTITION OF t', 'job 4, @hourly: CALL partman.run_maintenance_proc()'],
    });
    await fixes(client, 'background-partitions', { grade: 'warn', objects: ['public.events'] });
  }, sound);
});

test('what is only told: rules, event triggers, views, partitions, inheritance, libraries, sequences, state of sessions', async () => {
  await withDatabase(
    async (client, server) => {
      await client.query(`
      CREATE ROLE app LOGIN; CREATE TABLE t (id serial PRIMARY KEY);
      CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; CREATE TABLE child (x int, PRIMARY KEY (id)) INHERITS (t);
      CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION e();
      CREATE MATERIALIZED VIEW m AS SELECT 1 AS x; CREATE MATERIALIZED VIEW n AS SELECT 1 AS x WITH NO DATA;
      CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p (PRIMARY KEY (id)) FOR
      VALUES IN (1); CREATE TABLE p2 PARTITION OF p (PRIMARY KEY (id)) FOR VALUES IN (2);
      CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE small AS smallint; SELECT setval('small', 32000);
      CREATE SEQUENCE round AS smallint CYCLE; SELECT setval('round', 32000)`);
      const told = async (id: string) => (await findingOf(client, id))?.objects;
      expect(await told('inherited-tables')).toEqual(['public.child from public.t']);
      expect(await told('materialized-views')).toEqual([
        expect.stringMatching(/^public.m: 0(\.\d)? MB$/),
        'public.n: 0 MB, not populated',
      ]);
      expect(await told('partitioned-tables')).toEqual(['public.p: 2 partitions']);
      expect(await told('preloaded-libraries')).toEqual(['pg_prewarm']);
      expect(await findingOf(client, 'sequences')).toMatchObject({
        title: '4 sequences, 3 of them owned by no column, 1 descending',
        objects: ['public.down', 'public.round', 'public.small', 'public.t_id_seq'],
      });
      await client.query(
        'CREATE TABLE outbox (id bigserial PRIMARY KEY, tx xid8, at pg_lsn, n bigint DEFAULT txid_current() + 1, v text)',
      );
      expect(await findingOf(client, 'server-numbers')).toMatchObject({
        grade: 'warn',
        objects: ['public.outbox.tx xid8', 'public.outbox.at pg_lsn', 'public.outbox.n default (txid_current() + 1)'],
      });
      await fixes(client, 'sequence-near-end', { grade: 'warn', objects: ['public.small, 767 values left'] });
      await fixes(client, 'rules', { grade: 'info', objects: ['public.t.r'] });
      await client.query(`CREATE TABLE ddl_log (tag text);
        CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ddl_log VALUES (tg_tag); END $$;
        CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION note_ddl()`);
      expect(await findingOf(client, 'event-triggers-write')).toBeUndefined();
      await fixes(
        client,
        'event-triggers-write',
        { grade: 'refuse', objects: ['audit on ddl_command_end'] },
        { migrates: true },
      );
      if (testMajor >= 17) {
        await client.query('CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION note_ddl()');
        await fixes(client, 'login-triggers', { grade: 'refuse', objects: ['at_login'] });
      }
      await client.query(
        'DROP EVENT TRIGGER IF EXISTS at_login; DROP EVENT TRIGGER audit; DROP TABLE ddl_log; GRANT CREATE ON SCHEMA public TO PUBLIC',
      );
      await fixes(client, 'public-create', { grade: 'warn', objects: ['schema public'] });
      await client.query(
        `CREATE SCHEMA its AUTHORIZATION app; CREATE FUNCTION its.f(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE PROCEDURE its.p() LANGUAGE sql AS ''; CREATE EXTENSION citext SCHEMA its;
        CREATE FUNCTION its.own() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION its.own() OWNER TO app`,
      );
      await fixes(client, 'superuser-functions', {
        grade: 'warn',
        objects: ['its.f(integer,text) in a schema of app', 'its.p() in a schema of app'],
      });
      expect(await findingOf(client, 'hba-trust')).toBeUndefined();
      const { hba } = await one<{ hba: string }>(client, "SELECT current_setting('hba_file') AS hba");
      await appendFile(hba, 'host all all 10.0.0.0/8 trust\n');
      expect(await findingOf(client, 'hba-trust')).toMatchObject({
        grade: 'warn',
        objects: [expect.stringMatching(/^line \d+: all from 10\.0\.0\.0$/)],
      });
      await fixes(client, 'event-triggers', { grade: 'info', objects: ['e on sql_drop'] });
      await withClient(connectionTo(server, 'test', 'app'), 'app', async (app) => {
        await app.query('SELECT pg_advisory_lock(5); CREATE TEMP TABLE scratch (x int)');
        await app.query('LISTEN news');
        expect(await told('session-state')).toEqual(
          [
            expect.stringMatching(/^pid \d+ app: LISTEN$/),
            expect.stringMatching(/^pid \d+ app: advisory lock$/),
            expect.stringMatching(/^temporary table scratch in pg_temp_/),
          ].sort((a, b) => String(a).localeCompare(String(b))),
        );
      });
    },
    { ...sound, shared_preload_libraries: 'pg_prewarm' },
  );
});

test('keys, constraints, indexes and statistics', async () => {
  await withDatabase(
    async (client) => {
      await client.query(`
      SET search_path = public; CREATE SCHEMA verdigris; CREATE TABLE verdigris.k (id int PRIMARY KEY);
      CREATE TABLE t (id int PRIMARY KEY, k int REFERENCES verdigris.k, v int); ALTER TABLE t ADD CONSTRAINT positive CHECK (v > 0) NOT VALID;
      INSERT INTO t SELECT g, NULL, g / 2 + 1 FROM generate_series(1, 100) g`);
      expect(await sqlState(client, 'CREATE UNIQUE INDEX CONCURRENTLY broken ON t (v)')).toBe('23505');
      await client.query(
        "CREATE INDEX fine_ccnew ON t (v); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'fine_ccnew'::regclass; UPDATE t SET v = id",
      );
      await fixes(client, 'foreign-keys-outside', { grade: 'refuse', objects: ['public.t.t_k_fkey to verdigris.k'] });
      await fixes(client, 'constraints-not-validated', { grade: 'info', objects: ['public.t.positive'] });
      await fixes(client, 'invalid-indexes', {
        grade: 'warn',
        objects: ['public.broken on t', 'public.fine_ccnew on t'],
      });
      await fixes(
        client,
        'statistics-missing',
        { grade: 'warn', objects: ['public.t'] },
        { side: 'candidate', gate: 'switch' },
      );
      await client.query('CREATE TABLE u (id int PRIMARY KEY REFERENCES t DEFERRABLE)');
      expect(await findingOf(client, 'foreign-keys')).toMatchObject({
        grade: 'info',
        title: 'foreign keys, 1 of them deferrable',
      });
    },
    { ...sound, autovacuum: 'off' },
  );
});

test('column types that pg_upgrade refuses', async () => {
  await withDatabase(async (client) => {
    await client.query(
      `CREATE TABLE t (id int PRIMARY KEY, f regproc, g regoperator[], ok regclass, r regrole);
        INSERT INTO t VALUES (1, 'now', ARRAY['=(int4,int4)'::regoperator])`,
    );
    expect(await findingOf(client, 'upgrade-types')).toBeUndefined();
    await fixes(
      client,
      'upgrade-types',
      { grade: 'refuse', objects: ['public.t.f regproc', 'public.t.g regoperator[]'] },
      { candidateMajor: testMajor + 1 },
    );
  }, sound);
});
