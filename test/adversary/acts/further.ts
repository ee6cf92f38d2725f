import { act, column, count, exists, relation, role, type Act } from './act.ts';

const of = (catalogue: string, shape: string, where: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ','), 'none') AS answer FROM ${catalogue} WHERE ${where}`;
const written = "INSERT INTO public.item (v) VALUES ('further #')";
const found = count("public.item WHERE v = 'further #'");

/** What a database does beside its tables, and writes of uncommon shapes. */
export const further: readonly Act[] = [
  act(
    'keys exchanged that are asked at the end',
    ['UPDATE public.deferred SET k = 3 - k WHERE id IN (1, 2)'],
    "SELECT string_agg(k::text, ',' ORDER BY id) AS answer FROM public.deferred",
    /deferred/,
  ),
  act(
    'keys exchanged in one transaction',
    [
      'BEGIN',
      'SET CONSTRAINTS ALL DEFERRED',
      'UPDATE public.deferred SET k = 4 WHERE id = 3',
      'UPDATE public.deferred SET k = 3 WHERE id = 4',
      'UPDATE public.deferred SET k = 3 WHERE id = 3',
      'UPDATE public.deferred SET k = 4 WHERE id = 4',
      'DELETE FROM public.deferred WHERE id = 5',
      "INSERT INTO public.deferred VALUES (5, 5, '#')",
      'COMMIT',
    ],
    "SELECT string_agg(k || coalesce(v, ''), ',' ORDER BY id) AS answer FROM public.deferred WHERE id > 2",
    /deferred/,
  ),
  act(
    'rows written by a rule',
    ["INSERT INTO public.ruled VALUES (#, 'r')"],
    count('public.ruled_too WHERE id = #'),
    /ruled/,
  ),
  act(
    'rows deleted by a cascade',
    [
      'INSERT INTO public.above VALUES (#)',
      'INSERT INTO public.below VALUES (#, #)',
      'DELETE FROM public.above WHERE id = #',
      written,
    ],
    `SELECT (SELECT count(*) FROM public.below WHERE id = #) || ' ' || (SELECT count(*) FROM public.item WHERE v = 'further #') AS answer`,
    /below|above/,
  ),
  act(
    'keys changed by a cascade',
    [
      'INSERT INTO public.above VALUES (#)',
      'INSERT INTO public.below VALUES (#, #)',
      'UPDATE public.above SET id = 1000 + # WHERE id = #',
    ],
    of('public.below', 'above', 'id = #'),
    /below|above/,
  ),
  act(
    'rows of a hundred savepoints',
    [
      `DO $$ BEGIN FOR n IN 1..100 LOOP BEGIN
        INSERT INTO public.item (v) VALUES ('sub #'); IF n % 3 = 0 THEN RAISE division_by_zero; END IF;
        EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$`,
    ],
    count("public.item WHERE v = 'sub #'"),
    /item/,
  ),
  act(
    'rows changed under a cursor',
    [
      'BEGIN',
      written,
      "DECLARE c CURSOR FOR SELECT * FROM public.item WHERE v = 'further #' FOR UPDATE",
      'MOVE NEXT FROM c',
      'UPDATE public.item SET n = # WHERE CURRENT OF c',
      'COMMIT',
    ],
    of('public.item', 'n', "v = 'further #'"),
    /item/,
  ),
  act(
    'rows written serializably, with a message and a notification',
    [
      'BEGIN ISOLATION LEVEL SERIALIZABLE',
      "SELECT pg_logical_emit_message(true, 'theirs', '#')",
      "SELECT pg_logical_emit_message(false, 'theirs', '#')",
      'SELECT count(*) FROM public.item',
      written,
      "NOTIFY done, '#'",
      'COMMIT',
    ],
    found,
    /item/,
  ),
  act(
    'numbers drawn and taken back',
    [
      'BEGIN',
      "SELECT nextval('public.drawn') FROM generate_series(1, 5)",
      'ROLLBACK',
      "INSERT INTO public.item (v, n) SELECT 'drawn', last_value FROM public.drawn",
    ],
    "SELECT (last_value >= (SELECT max(n) FROM public.item WHERE v = 'drawn'))::text AS answer FROM public.drawn",
    /drawn/,
  ),
  act(
    'sequence that runs down past its beginning',
    ["SELECT setval('public.falling', -9)", "SELECT nextval('public.falling') FROM generate_series(1, 3)"],
    of('public.falling', "last_value || ' ' || is_called", 'true'),
    /falling/,
  ),
  act(
    'numbers of a temporary sequence of the name',
    [
      'CREATE TEMPORARY SEQUENCE item_id_seq START 9000000',
      "INSERT INTO public.item (id, v) VALUES (nextval('item_id_seq') + #, 'further #')",
      written,
    ],
    found,
    /item/,
  ),
  act(
    'sequence of a column renamed',
    ['ALTER SEQUENCE public.ident_id_seq RENAME TO ident_id_#', "INSERT INTO public.ident (v) VALUES ('further #')"],
    relation('ident_id_#'),
    /ident/,
    'ALTER SEQUENCE public.ident_id_# RENAME TO ident_id_seq',
  ),
  act(
    'sequence put in place of that of a column',
    [
      'CREATE SEQUENCE public.instead_# START 7#0000',
      "ALTER TABLE public.item ALTER id SET DEFAULT nextval('public.instead_#')",
      written,
    ],
    relation('instead_#'),
    /instead_#|item/,
    "ALTER TABLE public.item ALTER id SET DEFAULT nextval('public.item_id_seq'); DROP SEQUENCE public.instead_#",
  ),
  act(
    'rows frozen, statistics and hints written',
    [
      written,
      'VACUUM (FREEZE, ANALYZE) public.item',
      'VACUUM (FREEZE) public.split',
      'CHECKPOINT',
      'SELECT pg_switch_wal()',
    ],
    found,
    /item|split/,
  ),
  act(
    'index of a partitioned table made again beside writers',
    [
      'REINDEX INDEX CONCURRENTLY public.split_pkey',
      'REINDEX TABLE CONCURRENTLY public.item',
      "INSERT INTO public.split VALUES (3 + # % 40 + 6, 'further #')",
      "DELETE FROM public.split WHERE v = 'further #'",
      written,
    ],
    found,
    /split|item/,
  ),
  act(
    'server set and told, and taken back',
    [
      "ALTER SYSTEM SET log_min_duration_statement = '1#s'",
      'SELECT pg_reload_conf()',
      'ALTER SYSTEM RESET log_min_duration_statement',
      'SELECT pg_reload_conf()',
      written,
    ],
    found,
    /log_min_duration_statement/,
  ),
  act(
    'slot of others made',
    "SELECT pg_create_logical_replication_slot('theirs_#', 'pgoutput')",
    "SELECT 'as it is' AS answer",
    /theirs_#/,
    "SELECT pg_drop_replication_slot('theirs_#')",
  ),
  act(
    'slot of others come and gone',
    [
      "SELECT pg_create_physical_replication_slot('short_#', true)",
      "SELECT pg_drop_replication_slot('short_#')",
      "SELECT pg_create_logical_replication_slot('brief_#', 'pgoutput', true)",
      written,
    ],
    found,
    /short_#|brief_#/,
  ),
  act(
    'origin made',
    "SELECT pg_replication_origin_create('made #')",
    exists('pg_replication_origin', 'roname', 'made #'),
    /made #/,
    "SELECT pg_replication_origin_drop('made #')",
  ),
  act(
    'collation looked at again',
    ['ALTER COLLATION pg_catalog."en-x-icu" REFRESH VERSION', 'ALTER DATABASE shop REFRESH COLLATION VERSION', written],
    found,
    /collation|icu|shop/,
  ),
  act(
    'event trigger that fires always',
    ['ALTER EVENT TRIGGER noting ENABLE ALWAYS'],
    of('pg_event_trigger', 'evtenabled', "evtname = 'noting'"),
    /noting/,
    'ALTER EVENT TRIGGER noting ENABLE',
  ),
  act(
    'trigger of what is replicated alone',
    ['ALTER TABLE public.guarded ENABLE REPLICA TRIGGER tidy'],
    of('pg_trigger', 'tgenabled', "tgname = 'tidy'"),
    /tidy/,
    'ALTER TABLE public.guarded ENABLE TRIGGER tidy',
  ),
  act(
    'rule disabled',
    ['ALTER TABLE public.ruled DISABLE RULE copied'],
    of('pg_rewrite', 'ev_enabled', "rulename = 'copied'"),
    /copied|ruled/,
    'ALTER TABLE public.ruled ENABLE RULE copied',
  ),
  act(
    'large object of others given away',
    [
      'SELECT lo_create(70#)',
      'ALTER LARGE OBJECT 70# OWNER TO clerk',
      'GRANT SELECT ON LARGE OBJECT 70# TO shop_reader',
    ],
    of('pg_largeobject_metadata', 'lomowner::regrole', 'oid = 70#'),
    /70#|large object/,
    'SELECT lo_unlink(70#)',
  ),
  act(
    'default privileges in a schema',
    ['ALTER DEFAULT PRIVILEGES IN SCHEMA aside GRANT SELECT ON TABLES TO shop_reader'],
    of('pg_default_acl', 'defaclacl', "defaclnamespace = 'aside'::regnamespace"),
    /aside|default/,
    'ALTER DEFAULT PRIVILEGES FOR ROLE dba IN SCHEMA aside REVOKE SELECT ON TABLES FROM shop_reader',
  ),
  act(
    'check of old rows left out, then made good',
    [
      'ALTER TABLE public.child ADD CONSTRAINT later# CHECK (id > -#) NOT VALID',
      'ALTER TABLE public.child VALIDATE CONSTRAINT later#',
    ],
    exists('pg_constraint', 'conname', 'later#'),
    /later#/,
    'ALTER TABLE public.child DROP CONSTRAINT later#',
  ),
  act(
    'function of other costs',
    ['ALTER FUNCTION public.given() LEAKPROOF PARALLEL SAFE COST 4#'],
    of('pg_proc', "procost || ' ' || proleakproof", "oid = 'public.given()'::regprocedure"),
    /given/,
    'ALTER FUNCTION public.given() NOT LEAKPROOF PARALLEL UNSAFE COST 100',
  ),
  act(
    'session that ends in the middle',
    ['CREATE TEMPORARY TABLE gone (id int)', written, 'BEGIN', 'LOCK TABLE public.child', 'SELECT pg_advisory_lock(#)'],
    found,
    /item/,
  ),
  act(
    'columns of a heir and its parent',
    ['ALTER TABLE public.forebear ADD COLUMN f# int', 'UPDATE public.forebear SET f# = 1'],
    column('heir', 'attname || atttypid::regtype'),
    /forebear|heir/,
  ),
  act(
    'limit of a role and of what it may do at once',
    ['ALTER ROLE clerk CONNECTION LIMIT 3#', 'ALTER ROLE clerk IN DATABASE shop SET search_path = \'aside\', "$user"'],
    role('clerk', 'rolconnlimit'),
    /clerk/,
    'ALTER ROLE clerk CONNECTION LIMIT -1; ALTER ROLE clerk IN DATABASE shop RESET search_path',
  ),
];
