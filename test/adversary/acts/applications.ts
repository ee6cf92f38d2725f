import { act, count, exists, relation, type Act } from './act.ts';

const of = (catalogue: string, shape: string, where: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ',' ORDER BY 1), 'none') AS answer FROM ${catalogue} WHERE ${where}`;
const written = "INSERT INTO public.item (v) VALUES ('applied #')";
const found = count("public.item WHERE v = 'applied #'");

/** Tables of many rows, of none but generated or no columns, with triggers and rules about several rows. */
export const applicationsWorld = `
  CREATE EXTENSION unaccent; CREATE TABLE public.of_extension (id int PRIMARY KEY, v text);
  ALTER EXTENSION unaccent ADD TABLE public.of_extension;
  CREATE TEXT SEARCH DICTIONARY public.brought (TEMPLATE = simple); ALTER EXTENSION unaccent ADD TEXT SEARCH DICTIONARY public.brought;
  CREATE TABLE public.many (id int PRIMARY KEY, v text);
  INSERT INTO public.many SELECT g, repeat('v', g % 200) FROM generate_series(1, 20000) g;
  CREATE TABLE public.swung (id int PRIMARY KEY, v text);
  CREATE TABLE public.hollow (); ALTER TABLE public.hollow REPLICA IDENTITY FULL;
  CREATE TABLE public.kinds (id int PRIMARY KEY, mr int4multirange, tr tstzrange[], x xml, j json, q tsquery, m money, b box,
    d date, z timetz, ma macaddr8, s "char", o oidvector, e name, h path[], l lseg, jp jsonpath, iv interval[]);
  CREATE TABLE public.booked (id int PRIMARY KEY, at int4range,
    EXCLUDE USING gist (at WITH &&) DEFERRABLE INITIALLY DEFERRED); INSERT INTO public.booked VALUES (1, '[1,5)'), (2, '[5,9)');
  CREATE TABLE public.late_parent (id int PRIMARY KEY);
  CREATE TABLE public.late_child (id int PRIMARY KEY, parent int REFERENCES public.late_parent DEFERRABLE INITIALLY DEFERRED);
  CREATE SEQUENCE public.shared; CREATE TABLE public.left_of (id int PRIMARY KEY DEFAULT nextval('public.shared'), v text);
  CREATE TABLE public.right_of (id int PRIMARY KEY DEFAULT nextval('public.shared'), v text);
  CREATE TABLE public.audited (id int PRIMARY KEY, v text); CREATE TABLE public.audit (id serial PRIMARY KEY, what text);
  CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
    INSERT INTO public.audit (what) VALUES (tg_op || coalesce(new.v, old.v)); RETURN new; END $f$;
  CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.audited FOR EACH ROW EXECUTE FUNCTION public.audit();
  CREATE TABLE public.inbox (id int PRIMARY KEY, v text); CREATE TABLE public.done (id int PRIMARY KEY, v text);
  CREATE TABLE public.folded (id int PRIMARY KEY, v text); CREATE INDEX folded_v ON public.folded (lower(v)) WHERE v IS NOT NULL;
  CREATE TABLE public.derived (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) STORED);
  INSERT INTO public.derived VALUES (1, 1);
  CREATE ROLE worker; CREATE ROLE heir_of_worker; CREATE TABLE public.works (id int PRIMARY KEY); ALTER TABLE public.works OWNER TO worker;
  CREATE FUNCTION public.cuts(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x';
  CREATE TABLE public.listed (k int, id int, v text, PRIMARY KEY (k, id)) PARTITION BY LIST (k);
  CREATE TABLE public.listed_1 PARTITION OF public.listed FOR VALUES IN (1); INSERT INTO public.listed VALUES (1, 1, 'x')`;

/** What applications, their workers and their owners' tools do in the course of a day. */
export const applications: readonly Act[] = [
  act(
    'rows deleted by the thousand',
    [
      'DELETE FROM public.many WHERE id % 7 = # % 7',
      "INSERT INTO public.many SELECT 100000 + # * 5000 + g, 'batch #' FROM generate_series(1, 4000) g",
    ],
    "SELECT count(*) || ' ' || sum(id) AS answer FROM public.many",
    /public\.many/,
  ),
  act(
    'rows of one large transaction, half of it taken back',
    [
      'BEGIN',
      "INSERT INTO public.many SELECT 10000000 + # * 5000 + g, repeat('large', 100) FROM generate_series(1, 4000) g",
      'SAVEPOINT half',
      "UPDATE public.many SET v = 'never' WHERE id > 10000000 + # * 5000",
      'ROLLBACK TO half',
      'DELETE FROM public.many WHERE id > 10000000 + # * 5000 + 100',
      'COMMIT',
    ],
    "SELECT count(*) || ' ' || sum(length(v)) AS answer FROM public.many WHERE id > 10000000",
    /public\.many/,
  ),
  act('rows written without waiting for the log', ['SET synchronous_commit = off', written], found, /item/),
  {
    ...act(
      'rows written while a column is called otherwise',
      [
        'ALTER TABLE public.swung RENAME v TO w',
        "INSERT INTO public.swung (id, w) VALUES (#, 'away')",
        'ALTER TABLE public.swung RENAME w TO v',
      ],
      count('public.swung WHERE id = #'),
      /swung/,
    ),
    alone: true,
  },
  {
    ...act(
      'rows written while the table is called otherwise',
      [
        'ALTER TABLE public.swung RENAME TO swung_away',
        "INSERT INTO public.swung_away (id, v) VALUES (#, 'away')",
        'ALTER TABLE public.swung_away RENAME TO swung',
      ],
      count('public.swung WHERE id = #'),
      /swung/,
    ),
    alone: true,
  },
  {
    ...act(
      'rows written with a column that came and went',
      [
        'BEGIN',
        'ALTER TABLE public.swung ADD COLUMN brief int',
        "INSERT INTO public.swung (id, v, brief) VALUES (#, 'brief', 1)",
        'ALTER TABLE public.swung DROP COLUMN brief',
        'COMMIT',
      ],
      count('public.swung WHERE id = #'),
      /swung/,
    ),
    alone: true,
  },
  act(
    'table come and gone',
    [
      'CREATE TABLE public.brief_# (id serial PRIMARY KEY, v text)',
      "INSERT INTO public.brief_# (v) VALUES ('x')",
      'DROP TABLE public.brief_#',
      written,
    ],
    found,
    /brief_#|item/,
  ),
  act(
    'rows of a table without columns',
    'INSERT INTO public.hollow DEFAULT VALUES',
    count('public.hollow'),
    /public\.hollow/,
  ),
  act(
    'values of further types',
    [
      `INSERT INTO public.kinds VALUES (#, '{[1,3),[7,)}', ARRAY['[2020-01-01 00:00+02,infinity)', 'empty']::tstzrange[], 'a<b/>&amp;',
        '{"a":1, "a":2 }', 'a & !b <-> c:*A', '-12345.67', '(1e-300,-0),(NaN,Infinity)', 'infinity', '23:59:60+15:59',
        '08:00:2b:01:02:03:04:05', E'\\\\200', '1 2 3', 'Ä"\\', ARRAY['((0,0),(1,1))', '[(0,0),(1,1)]']::path[], '[(0,0),(1,1)]',
        '$.a[*] ? (@ > 1)', ARRAY['-1 year 2 days -3:00', NULL]::interval[])`,
      "UPDATE public.kinds SET m = m * 3, mr = mr + '{[20,21)}', d = '-infinity' WHERE id = #",
    ],
    of('public.kinds k', 'k', 'id = #'),
    /public\.kinds/,
  ),
  act(
    'exclusion asked at the end',
    [
      'BEGIN',
      "UPDATE public.booked SET at = '[5,9)' WHERE id = 1",
      "UPDATE public.booked SET at = '[1,5)' WHERE id = 2",
      'UPDATE public.booked SET at = int4range(1 + # * 10, 5 + # * 10) WHERE id = 1',
      'COMMIT',
    ],
    of('public.booked', "id || ' ' || at", 'true'),
    /public\.booked/,
  ),
  act(
    'child written before its parent',
    [
      'BEGIN',
      'INSERT INTO public.late_child VALUES (#, #)',
      'INSERT INTO public.late_parent VALUES (#)',
      'COMMIT',
      'BEGIN',
      'DELETE FROM public.late_parent WHERE id = # AND id % 2 = 0',
      'DELETE FROM public.late_child WHERE parent = # AND parent % 2 = 0',
      'COMMIT',
    ],
    "SELECT (SELECT count(*) FROM public.late_child) || ' ' || (SELECT count(*) FROM public.late_parent) AS answer",
    /late_/,
  ),
  act(
    'numbers of one sequence for two tables',
    [
      "INSERT INTO public.left_of (v) SELECT '#' FROM generate_series(1, 20)",
      "INSERT INTO public.right_of (v) SELECT '#' FROM generate_series(1, 20)",
    ],
    "SELECT (SELECT count(*) FROM public.left_of) || ' ' || (SELECT count(*) FROM public.right_of) AS answer",
    /left_of|right_of|shared/,
  ),
  act(
    'rows written by a trigger',
    [
      "INSERT INTO public.audited VALUES (#, 'a'), (100000 + #, 'b')",
      "UPDATE public.audited SET v = 'c' WHERE id = #",
      'DELETE FROM public.audited WHERE id = 100000 + #',
    ],
    "SELECT (SELECT count(*) FROM public.audit) || ' ' || (SELECT count(*) FROM public.audited) AS answer",
    /public\.audit/,
  ),
  act(
    'rows moved by one statement',
    [
      "INSERT INTO public.inbox SELECT # * 100 + g, 'work' FROM generate_series(1, 10) g",
      'WITH taken AS (DELETE FROM public.inbox WHERE id IN (SELECT id FROM public.inbox WHERE id > # * 100 ORDER BY id ' +
        'LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING *) INSERT INTO public.done SELECT * FROM taken ON CONFLICT DO NOTHING',
    ],
    "SELECT (SELECT count(*) FROM public.inbox) || ' ' || (SELECT count(*) FROM public.done) AS answer",
    /public\.inbox|public\.done/,
  ),
  act(
    'rows of partitions merged and moved',
    [
      "INSERT INTO public.listed VALUES (1, #, 'y') ON CONFLICT (k, id) DO UPDATE SET v = excluded.v",
      'MERGE INTO public.listed l USING (VALUES (1, #), (1, 90000 + #)) AS s (k, id) ON l.k = s.k AND l.id = s.id ' +
        "WHEN MATCHED THEN UPDATE SET v = 'z' WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.id, 'new')",
    ],
    of('public.listed', 'id || v', 'id IN (#, 90000 + #)'),
    /public\.listed/,
  ),
  act(
    'index dropped',
    'DROP INDEX IF EXISTS public.folded_v',
    relation('folded_v'),
    /folded/,
    'CREATE INDEX IF NOT EXISTS folded_v ON public.folded (lower(v)) WHERE v IS NOT NULL',
  ),
  act(
    'index renamed',
    'ALTER INDEX public.folded_pkey RENAME TO folded_#',
    relation('folded_#'),
    /folded/,
    'ALTER INDEX public.folded_# RENAME TO folded_pkey',
  ),
  {
    ...act(
      'expression of a column changed',
      'ALTER TABLE public.derived ALTER b SET EXPRESSION AS (a + #)',
      of('public.derived', 'b', 'true'),
      /derived/,
      'ALTER TABLE public.derived ALTER b SET EXPRESSION AS (a + 1)',
    ),
    since: 17,
  },
  act(
    "function behind an index's expression replaced",
    "CREATE OR REPLACE FUNCTION public.cuts(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + #'",
    of('pg_proc', 'prosrc', "proname = 'cuts'"),
    /public\.cuts/,
    "CREATE OR REPLACE FUNCTION public.cuts(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x'",
  ),
  act(
    'what a role owns given to another',
    'REASSIGN OWNED BY worker TO heir_of_worker',
    of('pg_class', 'pg_get_userbyid(relowner)', "relname = 'works'"),
    /public\.works/,
    'ALTER TABLE public.works OWNER TO worker',
  ),
  act(
    'rights of a role all taken',
    ['GRANT SELECT ON public.works TO heir_of_worker', 'DROP OWNED BY heir_of_worker', written],
    found,
    /public\.works|heir_of_worker|item/,
  ),
  act(
    'role set to act as another',
    "ALTER ROLE clerk SET role = 'team'",
    "SELECT count(*)::text AS answer FROM pg_db_role_setting WHERE setrole = 'clerk'::regrole AND setconfig::text ~ 'role=team'",
    /clerk/,
    'ALTER ROLE clerk RESET role',
  ),
  act(
    'database made a template',
    'ALTER DATABASE shop IS_TEMPLATE true',
    of('pg_database', 'datistemplate', "datname = 'shop'"),
    /shop/,
    'ALTER DATABASE shop IS_TEMPLATE false',
  ),
  act(
    "database's collation looked at again",
    ['ALTER DATABASE shop REFRESH COLLATION VERSION', written],
    found,
    /shop|item/,
  ),
  act(
    'comment, statistics and default taken away with their column',
    [
      'BEGIN',
      'ALTER TABLE public.swung ADD COLUMN c# int DEFAULT 1',
      "COMMENT ON COLUMN public.swung.c# IS 'brief'",
      'ALTER TABLE public.swung DROP COLUMN c#',
      'COMMIT',
      written,
    ],
    found,
    /swung|item/,
  ),
  act(
    'dictionary of an extension altered',
    'ALTER TEXT SEARCH DICTIONARY public.brought (StopWords = english)',
    of('pg_ts_dict', "coalesce(dictinitoption, '-')", "dictname = 'brought'"),
    /brought/,
    'ALTER TEXT SEARCH DICTIONARY public.brought (StopWords)',
  ),
  act(
    'operator of an extension altered',
    'ALTER OPERATOR public.= (public.citext, public.citext) SET (RESTRICT = NONE)',
    of('pg_operator', 'oprrest', "oprname = '=' AND oprleft = 'public.citext'::regtype"),
    /citext/,
    'ALTER OPERATOR public.= (public.citext, public.citext) SET (RESTRICT = eqsel)',
  ),
  act(
    "index of an extension's table made",
    'CREATE INDEX ext_# ON public.of_extension (v)',
    relation('ext_#'),
    /ext_#/,
    'DROP INDEX public.ext_#',
  ),
  act(
    "rows of an extension's table",
    "INSERT INTO public.of_extension VALUES (#, 'x')",
    count('public.of_extension WHERE id = #'),
    /of_extension/,
  ),
  act(
    'trigger made again with another condition',
    'CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE ON public.audited FOR EACH ROW WHEN (new.id > 0) EXECUTE FUNCTION public.audit()',
    of('pg_trigger', 'pg_get_triggerdef(oid)', "tgname = 'audit'"),
    /public\.audit/,
    'CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.audited FOR EACH ROW EXECUTE FUNCTION public.audit()',
  ),
  act(
    'procedure that commits by itself made',
    "CREATE PROCEDURE public.commits_#() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'",
    exists('pg_proc', 'proname', 'commits_#'),
    /commits_#/,
    'DROP PROCEDURE public.commits_#()',
  ),
  act(
    'schema imported from afar',
    ['CREATE SCHEMA far_#', "CREATE FOREIGN TABLE far_#.lines (line text) SERVER files OPTIONS (program 'echo b')"],
    exists('pg_namespace', 'nspname', 'far_#'),
    /far_#/,
    'DROP SCHEMA far_# CASCADE',
  ),
  {
    ...act(
      'slot of replication moved past rows',
      [
        `DO $$ DECLARE s record; BEGIN
          FOR s IN SELECT active_pid FROM pg_replication_slots WHERE slot_name ~ '^verdigris' AND active_pid IS NOT NULL LOOP
            PERFORM pg_terminate_backend(s.active_pid, 1000); END LOOP;
          INSERT INTO public.item (v) VALUES ('applied #'); END $$`,
        `SELECT pg_replication_slot_advance(slot_name, pg_current_wal_flush_lsn()) FROM pg_replication_slots
          WHERE slot_name ~ '^verdigris' AND slot_name !~ '_proof$'`,
      ],
      found,
      /slot|item/,
    ),
    fails: /is active for PID/,
    alone: true,
  },
];
