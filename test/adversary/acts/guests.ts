import { act, count, exists, relation, role, type Act } from './act.ts';

const of = (catalogue: string, shape: string, where: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ',' ORDER BY 1), 'none') AS answer FROM ${catalogue} WHERE ${where}`;
const written = "INSERT INTO public.item (v) VALUES ('guest #')";
const found = count("public.item WHERE v = 'guest #'");
const simple = '(simple)';

/** Tables of values of uncommon types, extensions at older versions, and foreign tables. */
export const guestsWorld = `
  CREATE ROLE mover; CREATE ROLE goer;
  CREATE EXTENSION citext VERSION '1.4'; CREATE EXTENSION fuzzystrmatch; CREATE EXTENSION file_fdw;
  CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
  CREATE FOREIGN TABLE public.lines (line text) SERVER files OPTIONS (program 'echo a');
  CREATE TABLE public.secret (id int PRIMARY KEY, owner name DEFAULT current_user, v text);
  ALTER TABLE public.secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY theirs ON public.secret USING (owner = current_user) WITH CHECK (owner = current_user);
  GRANT ALL ON public.secret TO shop_app;
  CREATE TABLE public.tally (id int PRIMARY KEY, n int); INSERT INTO public.tally VALUES (1, 1);
  CREATE MATERIALIZED VIEW public.tallies AS SELECT id, n FROM public.tally; CREATE UNIQUE INDEX ON public.tallies (id);
  CREATE TABLE public.kept_apart (id int PRIMARY KEY, big text, n int); ALTER TABLE public.kept_apart ALTER big SET STORAGE EXTERNAL;
  INSERT INTO public.kept_apart SELECT g, repeat(g::text, 20000), 0 FROM generate_series(1, 3) g;
  CREATE TYPE public.coin AS (n int, c text); CREATE DOMAIN public.good_coin AS public.coin CHECK ((VALUE).n > 0);
  CREATE FUNCTION public.to_coin(internal) RETURNS public.coin LANGUAGE internal IMMUTABLE AS 'int4recv';
  CREATE TABLE public.coins (id int PRIMARY KEY, one public.good_coin, many public.good_coin[]);
  CREATE TABLE public.exotic (id int PRIMARY KEY, f float8, n numeric, t timestamptz, a int[], r int4range, j jsonb, b bytea,
    i interval, c regclass, e public.mood[], s tsvector, k public.citext, bits varbit(9), p point, net inet);
  CREATE TABLE public.always (id int GENERATED ALWAYS AS IDENTITY (CYCLE MAXVALUE 9) UNIQUE, k int PRIMARY KEY);
  CREATE TABLE public.unkeyed (v text, n int); ALTER TABLE public.unkeyed REPLICA IDENTITY FULL;
  INSERT INTO public.unkeyed VALUES ('twice', 1), ('twice', 1), (NULL, NULL);
  CREATE TABLE public.lettered (code text COLLATE "en-x-icu" PRIMARY KEY, n int)`;

/** What owners, extensions and tools do on a server beside its tables' ordinary work. */
export const guests: readonly Act[] = [
  {
    ...act(
      'rows written under forced row security',
      "INSERT INTO public.secret (id, v) VALUES (#, 'mine')",
      count('public.secret WHERE id = #'),
      /secret/,
    ),
    by: 'application',
  },
  act(
    'policy for some, then for all',
    ['ALTER POLICY theirs ON public.secret TO clerk', 'ALTER POLICY theirs ON public.secret TO PUBLIC', written],
    found,
    /secret|theirs/,
  ),
  act(
    'policy that restricts',
    'CREATE POLICY less# ON public.secret AS RESTRICTIVE FOR SELECT TO shop_reader USING (id > #)',
    exists('pg_policy', 'polname', 'less#'),
    /less#/,
    'DROP POLICY less# ON public.secret',
  ),
  act(
    'foreign table of a file made',
    "CREATE FOREIGN TABLE public.file# (line text) SERVER files OPTIONS (program 'echo #')",
    relation('file#'),
    /file#/,
    'DROP FOREIGN TABLE public.file#',
  ),
  act(
    'foreign table read elsewhere',
    "ALTER FOREIGN TABLE public.lines OPTIONS (SET program 'echo #')",
    of('pg_foreign_table', 'ftoptions', "ftrelid = 'public.lines'::regclass"),
    /lines/,
    "ALTER FOREIGN TABLE public.lines OPTIONS (SET program 'echo a')",
  ),
  act(
    'wrapper given an option',
    "ALTER FOREIGN DATA WRAPPER farther OPTIONS (ADD note# 'x')",
    of('pg_foreign_data_wrapper', 'fdwoptions', "fdwname = 'farther'"),
    /farther/,
    'ALTER FOREIGN DATA WRAPPER farther OPTIONS (DROP note#)',
  ),
  act(
    'extension updated',
    "ALTER EXTENSION citext UPDATE TO '1.5'",
    of('pg_extension', 'extversion', "extname = 'citext'"),
    /citext/,
  ),
  act(
    'extension moved to another schema',
    'ALTER EXTENSION fuzzystrmatch SET SCHEMA aside',
    of('pg_extension', 'extnamespace::regnamespace', "extname = 'fuzzystrmatch'"),
    /fuzzystrmatch/,
    'ALTER EXTENSION fuzzystrmatch SET SCHEMA public',
  ),
  act(
    'function of an extension made dearer',
    'ALTER FUNCTION public.metaphone(text, int) COST 5#',
    of('pg_proc', 'procost', "proname = 'metaphone'"),
    /metaphone|fuzzystrmatch/,
    'ALTER FUNCTION public.metaphone(text, int) COST 1',
  ),
  act(
    'right to a function of an extension taken',
    'REVOKE EXECUTE ON FUNCTION public.soundex(text) FROM PUBLIC',
    of('pg_proc', "coalesce(proacl::text, 'default')", "proname = 'soundex'"),
    /soundex/,
    'GRANT EXECUTE ON FUNCTION public.soundex(text) TO PUBLIC',
  ),
  act(
    'subscription of others come and gone',
    [
      "CREATE SUBSCRIPTION brief# CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
      'DROP SUBSCRIPTION brief#',
      written,
    ],
    found,
    /brief#/,
  ),
  act(
    'materialized view read again beside readers',
    ['UPDATE public.tally SET n = #', 'REFRESH MATERIALIZED VIEW CONCURRENTLY public.tallies'],
    of('public.tallies', 'n', 'true'),
    /tallies/,
  ),
  act(
    'rows changed beside what is kept apart',
    ['UPDATE public.kept_apart SET n = #', 'UPDATE public.kept_apart SET id = id + 10 WHERE id < 10'],
    of('public.kept_apart', "n || ' ' || md5(big)", 'true'),
    /kept_apart/,
  ),
  act(
    'rows changed while they are told apart by all columns',
    [
      'ALTER TABLE public.spare REPLICA IDENTITY FULL',
      "INSERT INTO public.spare (id, v, w) VALUES (7000 + #, repeat('x', 9000), 7000 + #)",
      'UPDATE public.spare SET w = w + 100000 WHERE id = 7000 + #',
      'ALTER TABLE public.spare REPLICA IDENTITY DEFAULT',
    ],
    of('public.spare', "w || ' ' || length(v)", 'id = 7000 + #'),
    /spare/,
  ),
  act(
    'rows written while nothing tells them apart',
    [
      'ALTER TABLE public.tally REPLICA IDENTITY NOTHING',
      'INSERT INTO public.tally VALUES (100 + #, 1)',
      'ALTER TABLE public.tally REPLICA IDENTITY DEFAULT',
    ],
    count('public.tally WHERE id = 100 + #'),
    /tally/,
  ),
  act(
    'rows without a key, equal ones too',
    [
      "UPDATE public.unkeyed SET n = # WHERE ctid = (SELECT max(ctid) FROM public.unkeyed WHERE v = 'twice')",
      'DELETE FROM public.unkeyed WHERE v IS NULL',
      'INSERT INTO public.unkeyed VALUES (NULL, NULL), (NULL, NULL)',
    ],
    of('public.unkeyed', "coalesce(v, '-') || coalesce(n, 0)", 'true'),
    /unkeyed/,
  ),
  act(
    'values of a domain over a composite type',
    [
      `INSERT INTO public.coins VALUES (#, ROW(#, 'a,"(')::public.coin, ARRAY[ROW(1, NULL)::public.coin, NULL]::public.good_coin[])`,
      "UPDATE public.coins SET one.c = E'\\\\\\n' WHERE id = #",
    ],
    of('public.coins', "one::text || coalesce(many::text, '')", 'id = #'),
    /coin/,
  ),
  act(
    'domain over a composite type narrowed',
    'ALTER DOMAIN public.good_coin ADD CONSTRAINT least# CHECK ((VALUE).n > -#) NOT VALID',
    exists('pg_constraint', 'conname', 'least#'),
    /good_coin|least#/,
    'ALTER DOMAIN public.good_coin DROP CONSTRAINT least#',
  ),
  act(
    'values at the edges of their types',
    [
      `INSERT INTO public.exotic VALUES (#, 'NaN', 'Infinity', '-infinity', '[-2:0]={1,NULL,3}', 'empty', '{"a":[1.10,1e400,"\\u00e9"]}',
        '\\x00ff', '-1 mons +2 days -00:00:00.000001', 'public.item', '{good,NULL}', 'a:1A b', 'Ä', B'101', '(-0,1e300)', '::ffff:1.2.3.4/99')`,
      `INSERT INTO public.exotic (id, f, n, t, b) VALUES (5000 + #, '-0', 1e-1000, '4713-01-01 BC', '')`,
      'UPDATE public.exotic SET f = 1e-310 WHERE id = 5000 + #',
    ],
    of('public.exotic e', "replace(e::text, 'exotic', '')", 'id IN (#, 5000 + #)'),
    /exotic/,
  ),
  act(
    'generated columns computed again',
    ['INSERT INTO public.computed (id, a) VALUES (100 + #, 1)', 'UPDATE public.computed SET a = # WHERE id = 100 + #'],
    of('public.computed', "a || ' ' || b", 'id = 100 + #'),
    /computed/,
  ),
  act(
    'identity that is always given, given otherwise, near its end',
    [
      'DELETE FROM public.always',
      'INSERT INTO public.always (k) SELECT generate_series(1, 7)',
      'DELETE FROM public.always WHERE id < 5',
      'INSERT INTO public.always (id, k) OVERRIDING SYSTEM VALUE VALUES (1000 + #, 100)',
    ],
    of('public.always', "id || ':' || k", 'true'),
    /public\.always/,
  ),
  act(
    'keys that a collation takes for alike',
    [
      "INSERT INTO public.lettered VALUES ('a#', 1), ('A#', 2), ('á#', 3), ('a#' || chr(769), 4)",
      "UPDATE public.lettered SET n = 5 WHERE code = 'A#'",
      "DELETE FROM public.lettered WHERE code = 'á#'",
    ],
    of('public.lettered', 'code || n', "code LIKE '%#%'"),
    /lettered/,
  ),
  act('database come and gone', ['CREATE DATABASE brief#', 'DROP DATABASE brief#', written], found, /brief#/),
  act(
    'tablespace come and gone',
    [
      'SET allow_in_place_tablespaces = on',
      "CREATE TABLESPACE room# LOCATION ''",
      'CREATE TABLE public.in_room# (id int) TABLESPACE room#',
      'DROP TABLE public.in_room#',
      'DROP TABLESPACE room#',
      written,
    ],
    found,
    /room#/,
  ),
  act(
    'role renamed and back',
    ['ALTER ROLE mover RENAME TO moved_#', 'ALTER ROLE moved_# RENAME TO mover', written],
    found,
    /mover/,
  ),
  act(
    'role of an application renamed',
    'ALTER ROLE clerk RENAME TO clerk_#',
    role('clerk_#', 'rolcanlogin'),
    /clerk/,
    'ALTER ROLE clerk_# RENAME TO clerk',
  ),
  act(
    'notified by the thousand',
    ["SELECT count(pg_notify('storm', g || repeat('x', 4000))) FROM generate_series(1, 2000) g", written],
    found,
    /item/,
  ),
  act(
    'temporary objects of every kind',
    [
      'CREATE TEMP TABLE kept_here (id serial PRIMARY KEY, v text)',
      'CREATE TEMP VIEW seen_here AS SELECT * FROM kept_here',
      "CREATE FUNCTION pg_temp.here() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE TYPE pg_temp.kind AS ENUM ('a')",
      'DECLARE held CURSOR WITH HOLD FOR SELECT * FROM public.item',
      'PREPARE made AS SELECT * FROM public.item',
      'LISTEN news',
      'SELECT pg_advisory_lock(#)',
      written,
    ],
    found,
    /item/,
  ),
  act(
    'transform made',
    'CREATE TRANSFORM FOR public.coin LANGUAGE sql (TO SQL WITH FUNCTION public.to_coin(internal))',
    count('pg_transform'),
    /transform/,
    'DROP TRANSFORM FOR public.coin LANGUAGE sql',
  ),
  act(
    'text search template made',
    'CREATE TEXT SEARCH TEMPLATE public.tmpl# (INIT = dsimple_init, LEXIZE = dsimple_lexize)',
    exists('pg_ts_template', 'tmplname', 'tmpl#'),
    /tmpl#/,
    'DROP TEXT SEARCH TEMPLATE public.tmpl#',
  ),
  act(
    'text search parser made',
    'CREATE TEXT SEARCH PARSER public.prs# (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)',
    exists('pg_ts_parser', 'prsname', 'prs#'),
    /prs#/,
    'DROP TEXT SEARCH PARSER public.prs#',
  ),
  act(
    'mapping of a text search set',
    [
      'CREATE TEXT SEARCH CONFIGURATION public.words# (COPY = simple)',
      'ALTER TEXT SEARCH CONFIGURATION public.words# DROP MAPPING FOR email',
    ],
    exists('pg_ts_config', 'cfgname', 'words#'),
    /words#/,
    'DROP TEXT SEARCH CONFIGURATION public.words#',
  ),
  act(
    "option of a domain of an extension's type",
    `CREATE DOMAIN public.word# AS public.citext COLLATE "C" DEFAULT '${simple}' NOT NULL`,
    exists('pg_type', 'typname', 'word#'),
    /word#/,
    'DROP DOMAIN public.word#',
  ),
  {
    ...act(
      'event trigger of logins made',
      [
        `CREATE FUNCTION public.came#() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''nobody comes in''; END'`,
        'CREATE EVENT TRIGGER came# ON login EXECUTE FUNCTION public.came#()',
        'ALTER EVENT TRIGGER came# DISABLE',
      ],
      exists('pg_event_trigger', 'evtname', 'came#'),
      /came#/,
      'DROP EVENT TRIGGER came#; DROP FUNCTION public.came#()',
    ),
    since: 17,
  },
];
