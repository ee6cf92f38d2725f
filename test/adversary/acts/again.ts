import { act, count, exists, relation, type Act } from './act.ts';

const of = (catalogue: string, shape: string, where: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ','), 'none') AS answer FROM ${catalogue} WHERE ${where}`;
const written = "INSERT INTO public.item (v) VALUES ('again #')";
const found = count("public.item WHERE v = 'again #'");

/** What comes out as it was, is left half done, or is taken away whole; and what has to do with more than one object. */
export const again: readonly Act[] = [
  act(
    'function dropped and made again',
    [
      'DROP FUNCTION public.given()',
      "CREATE FUNCTION public.given() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      'ALTER FUNCTION public.given() OWNER TO verdigris_operator',
      written,
    ],
    found,
    /given/,
  ),
  act(
    'view dropped and made again',
    [
      'DROP VIEW public.seen',
      'CREATE VIEW public.seen AS SELECT id, v FROM public.item',
      'ALTER VIEW public.seen OWNER TO verdigris_operator',
      written,
    ],
    found,
    /seen/,
  ),
  act(
    'policy dropped and made again',
    [
      'BEGIN',
      'DROP POLICY own ON public.guarded',
      'CREATE POLICY own ON public.guarded USING (true)',
      'COMMIT',
      written,
    ],
    found,
    /own|guarded/,
  ),
  act(
    'table renamed and back',
    ['ALTER TABLE public.item RENAME TO away', 'ALTER TABLE public.away RENAME TO item', written],
    found,
    /item|away/,
  ),
  act(
    'table dropped, and that taken back',
    ['BEGIN', 'SAVEPOINT here', 'DROP TABLE public.price', 'ROLLBACK TO here', written, 'COMMIT'],
    found,
    /price|item/,
  ),
  act(
    'table truncated, and that taken back',
    ['BEGIN', 'SAVEPOINT here', 'TRUNCATE public.emptied', 'ROLLBACK TO here', written, 'COMMIT'],
    found,
    /emptied|item/,
  ),
  act(
    'key built beside and put in place',
    [
      'CREATE UNIQUE INDEX CONCURRENTLY key# ON public.spare (id)',
      'ALTER TABLE public.spare DROP CONSTRAINT spare_pkey, ADD CONSTRAINT spare_pkey PRIMARY KEY USING INDEX key#',
      "INSERT INTO public.spare (id, v, w) VALUES (#, 'again', #)",
    ],
    count('public.spare WHERE id = #'),
    /spare/,
  ),
  {
    ...act(
      'index left invalid',
      'CREATE UNIQUE INDEX CONCURRENTLY broken# ON public.item ((id * 0))',
      of('pg_index', 'indisvalid', "indexrelid = to_regclass('public.broken#')"),
      /broken#/,
      'DROP INDEX public.broken#',
    ),
    fails: /could not create unique index/,
  },
  act(
    'catalogues written anew',
    ['VACUUM (FULL) pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_publication_rel', written],
    found,
    /item|pg_/,
  ),
  act('catalogues indexed again', ['REINDEX SYSTEM shop', written], found, /item|pg_/),
  act(
    'partition detached beside writers',
    'ALTER TABLE public.meter DETACH PARTITION public.meter_2 CONCURRENTLY',
    of('pg_class', 'relispartition', "oid = 'public.meter_2'::regclass"),
    /meter/,
    `DO $$ DECLARE each name; BEGIN FOR each IN SELECT conname FROM pg_constraint
      WHERE conrelid = 'public.meter_2'::regclass AND contype = 'c' LOOP
      EXECUTE format('ALTER TABLE public.meter_2 DROP CONSTRAINT %I', each); END LOOP; END $$;
    ALTER TABLE public.meter ATTACH PARTITION public.meter_2 FOR VALUES FROM (100) TO (200)`,
  ),
  act(
    'partition of other bounds',
    [
      'ALTER TABLE public.split DETACH PARTITION public.split_b',
      'ALTER TABLE public.split ATTACH PARTITION public.split_b FOR VALUES FROM (100) TO (300)',
    ],
    of('pg_class', 'pg_get_expr(relpartbound, oid)', "oid = 'public.split_b'::regclass"),
    /split/,
    'ALTER TABLE public.split DETACH PARTITION public.split_b; ALTER TABLE public.split ATTACH PARTITION public.split_b FOR VALUES FROM (100) TO (200)',
  ),
  act(
    'default of a partition alone set',
    'ALTER TABLE public.split_b ALTER v SET DEFAULT #',
    count("pg_attrdef WHERE adrelid = 'public.split_b'::regclass"),
    /split_b/,
    'ALTER TABLE public.split_b ALTER v DROP DEFAULT',
  ),
  act(
    'collation of a column changed',
    'ALTER TABLE public.spare ALTER v TYPE text COLLATE "C"',
    of('pg_attribute', 'attcollation', "attrelid = 'public.spare'::regclass AND attname = 'v'"),
    /spare/,
    'ALTER TABLE public.spare ALTER v TYPE text COLLATE "default"',
  ),
  act(
    'parameter of what lies apart set',
    'ALTER TABLE public.item SET (toast.autovacuum_enabled = off)',
    of(
      'pg_class',
      "coalesce(reloptions::text, '')",
      "oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'public.item'::regclass)",
    ),
    /item/,
    'ALTER TABLE public.item RESET (toast.autovacuum_enabled)',
  ),
  act(
    'table moved to another tablespace',
    [
      'SET allow_in_place_tablespaces = on',
      "CREATE TABLESPACE place# LOCATION ''",
      'ALTER TABLE public.child SET TABLESPACE place#',
    ],
    of('pg_class', 'reltablespace > 0', "oid = 'public.child'::regclass"),
    /child|place#/,
  ),
  act(
    'table of another access method',
    [
      'CREATE ACCESS METHOD heap# TYPE TABLE HANDLER heap_tableam_handler',
      'ALTER TABLE public.child SET ACCESS METHOD heap#',
    ],
    of('pg_class JOIN pg_am a ON a.oid = relam', 'amname', "relname = 'child'"),
    /child|heap#/,
    'ALTER TABLE public.child SET ACCESS METHOD heap; DROP ACCESS METHOD heap#',
  ),
  act(
    'identity taken away',
    'ALTER TABLE public.ident ALTER id DROP IDENTITY',
    of('pg_attribute', "attidentity::text || '.'", "attrelid = 'public.ident'::regclass AND attname = 'id'"),
    /ident/,
    "ALTER TABLE public.ident ALTER id ADD GENERATED BY DEFAULT AS IDENTITY; SELECT setval('public.ident_id_seq', 100000)",
  ),
  act(
    'inheritance taken away',
    'ALTER TABLE public.heir NO INHERIT public.forebear',
    count("pg_inherits WHERE inhrelid = 'public.heir'::regclass"),
    /heir|forebear/,
    'ALTER TABLE public.heir INHERIT public.forebear',
  ),
  act(
    'generated column made an ordinary one',
    'ALTER TABLE public.computed ALTER b DROP EXPRESSION',
    of('pg_attribute', "attgenerated::text || '.'", "attrelid = 'public.computed'::regclass AND attname = 'b'"),
    /computed/,
    'ALTER TABLE public.computed DROP COLUMN b, ADD COLUMN b int GENERATED ALWAYS AS (a * 2) STORED',
  ),
  act(
    'trigger of the end of a transaction made',
    `CREATE CONSTRAINT TRIGGER late# AFTER INSERT ON public.child DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    exists('pg_trigger', 'tgname', 'late#'),
    /late#/,
    'DROP TRIGGER late# ON public.child',
  ),
  {
    ...act(
      'event trigger that forbids all made',
      [
        `CREATE FUNCTION public.forbid#() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''forbidden''; END'`,
        'CREATE EVENT TRIGGER forbid# ON ddl_command_start EXECUTE FUNCTION public.forbid#()',
      ],
      exists('pg_event_trigger', 'evtname', 'forbid#'),
      /forbid#/,
      'DROP EVENT TRIGGER forbid#; DROP FUNCTION public.forbid#()',
    ),
    alone: true,
  },
  act(
    'function made a part of an extension',
    'ALTER EXTENSION plpgsql ADD FUNCTION public.given()',
    count("pg_depend WHERE objid = 'public.given()'::regprocedure AND deptype = 'e'"),
    /given|plpgsql/,
    'ALTER EXTENSION plpgsql DROP FUNCTION public.given()',
  ),
  act(
    'language made',
    'CREATE LANGUAGE lang# HANDLER plpgsql_call_handler',
    exists('pg_language', 'lanname', 'lang#'),
    /lang#/,
    'DROP LANGUAGE lang#',
  ),
  act(
    'publication of a schema made',
    'CREATE PUBLICATION schema# FOR TABLES IN SCHEMA aside',
    exists('pg_publication', 'pubname', 'schema#'),
    /schema#/,
    'DROP PUBLICATION schema#',
  ),
  act(
    'publication given a condition',
    'ALTER PUBLICATION feed SET TABLE public.item WHERE (id > #)',
    of(
      'pg_publication_rel r JOIN pg_publication p ON p.oid = prpubid',
      "coalesce(pg_get_expr(prqual, prrelid), '')",
      "pubname = 'feed'",
    ),
    /feed/,
    'ALTER PUBLICATION feed SET TABLE public.item',
  ),
  act(
    'publication dropped',
    'DROP PUBLICATION feed',
    exists('pg_publication', 'pubname', 'feed'),
    /feed/,
    'CREATE PUBLICATION feed FOR TABLE public.item',
  ),
  act('table dropped', 'DROP TABLE IF EXISTS public.bare', relation('bare'), /bare/),
  act(
    'constraint dropped',
    'ALTER TABLE public.spare DROP CONSTRAINT spare_w_key',
    relation('spare_w_key'),
    /spare/,
    'ALTER TABLE public.spare ADD CONSTRAINT spare_w_key UNIQUE (w)',
  ),
  act('partition dropped', 'DROP TABLE IF EXISTS public.split_c', relation('split_c'), /split/),
  act(
    'schema dropped with what is in it',
    'DROP SCHEMA IF EXISTS bare_schema CASCADE',
    exists('pg_namespace', 'nspname', 'bare_schema'),
    /bare_schema/,
  ),
  act('sequence dropped', 'DROP SEQUENCE IF EXISTS public.bare_counter', relation('bare_counter'), /bare_counter/),
  act(
    'sender of every slot ended',
    [written, 'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL'],
    found,
    /item|slot|lag/,
  ),
  act(
    'password of replication changed',
    [
      written,
      "ALTER ROLE verdigris_replication PASSWORD 'other #'",
      'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL',
    ],
    found,
    /replication|lag/,
  ),
];
