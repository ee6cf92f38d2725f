/** What a session has begun when a switchover begins, and how it ends. */
export interface Held {
  readonly kind: string;
  /** An application's session through the router, or one of a superuser past it. */
  readonly by: 'router' | 'server';
  /** Statements before the verb. `#` is another number each time. */
  readonly begins: readonly string[];
  /** A statement of another session of the same kind that is left running meanwhile. */
  readonly beside?: string;
  /** Statements from the moment on at which clients are asked to wait; none: it is left as it is. */
  readonly ends: readonly string[];
  /** A query whose one answer tells on either colour whether it happened there. */
  readonly shows: string;
  /** What a refusal has to name. */
  readonly named: RegExp;
  /** Takes it back where a refusal left it on the live colour. */
  readonly undo?: string;
  readonly comes?: 'carried' | 'refused' | 'kept out';
}

/** What an application owns and may do, beside the adversary's world. */
export const heldWorld = `
  CREATE TABLE public.own (id int PRIMARY KEY); ALTER TABLE public.own OWNER TO shop_app;
  CREATE TABLE public.own_parts (id int PRIMARY KEY) PARTITION BY LIST (id); ALTER TABLE public.own_parts OWNER TO shop_app;
  CREATE MATERIALIZED VIEW public.own_sums AS SELECT count(*) AS n FROM public.item; ALTER MATERIALIZED VIEW public.own_sums OWNER TO shop_app;
  GRANT TRUNCATE ON public.emptied TO shop_app; GRANT SELECT, INSERT ON public.emptied TO shop_app;
  GRANT ALL ON SEQUENCE public.counter TO shop_app; GRANT TEMPORARY ON DATABASE shop TO shop_app;
  GRANT team TO shop_app; GRANT SELECT, INSERT ON public.item TO team; GRANT USAGE ON SEQUENCE public.item_id_seq TO team;
  CREATE TABLE public.by_whom (id serial PRIMARY KEY, role name, path text, zone text, v text);
  GRANT INSERT, SELECT ON public.by_whom TO team; GRANT USAGE ON SEQUENCE public.by_whom_id_seq TO team`;

const written = "INSERT INTO public.item (v) VALUES ('held #')";
const counted = "SELECT count(*)::text AS answer FROM public.item WHERE v = 'held #'";
const there = (name: string): string => `SELECT count(*)::text AS answer FROM pg_class WHERE relname = '${name}'`;
const nap = 'SELECT pg_sleep(0.2)';

/** A transaction through the router that the hold waits for. */
const ending = (
  kind: string,
  last: readonly string[],
  shows: string,
  comes: Held['comes'],
  named = /item/,
  undo?: string,
): Held => ({
  kind,
  by: 'router',
  begins: ['BEGIN', written],
  ends: [nap, ...last],
  shows,
  named,
  ...(comes === undefined ? {} : { comes }),
  ...(undo === undefined ? {} : { undo }),
});

export const held: readonly Held[] = [
  ending('rows', [written, 'COMMIT'], counted, 'carried'),
  ending('rows of a savepoint', ['SAVEPOINT s', written, 'ROLLBACK TO s', 'COMMIT'], counted, 'carried'),
  ending(
    'rows beside a temporary table',
    ['CREATE TEMP TABLE passing ON COMMIT DROP AS SELECT 1', 'COMMIT'],
    counted,
    'carried',
  ),
  ending('rows, and somebody notified', ['NOTIFY news', 'COMMIT'], counted, 'carried'),
  ending('rows under an advisory lock', ['SELECT pg_advisory_xact_lock(#)', 'COMMIT'], counted, 'carried'),
  ending(
    'numbers drawn',
    ["SELECT setval('public.counter', #000)", 'COMMIT'],
    'SELECT (last_value / 1000)::text AS answer FROM public.counter',
    'carried',
    /counter/,
  ),
  ending(
    'own setting',
    ["ALTER ROLE shop_app SET work_mem = '#MB'", 'COMMIT'],
    "SELECT setconfig::text AS answer FROM pg_db_role_setting WHERE setrole = 'shop_app'::regrole AND setdatabase = 0",
    'carried',
    /shop_app/,
  ),
  ending(
    'table truncated',
    ['TRUNCATE public.emptied', 'INSERT INTO public.emptied VALUES (#)', 'COMMIT'],
    "SELECT string_agg(id::text, ',') AS answer FROM public.emptied",
    'carried',
    /emptied/,
  ),
  ending(
    'transaction prepared',
    ["PREPARE TRANSACTION 'held#'"],
    "SELECT count(*)::text AS answer FROM pg_prepared_xacts WHERE gid = 'held#'",
    'refused',
    /held#/,
    "ROLLBACK PREPARED 'held#'",
  ),
  ending(
    'large object made',
    ['SELECT lo_create(#)', 'COMMIT'],
    'SELECT count(*)::text AS answer FROM pg_largeobject_metadata',
    'refused',
    /large object/,
    'SELECT lo_unlink(#)',
  ),
  ending(
    'table made',
    ['CREATE TABLE public.held# (id int PRIMARY KEY)', 'COMMIT'],
    there('held#'),
    'refused',
    /held#/,
    'DROP TABLE public.held#',
  ),
  ending(
    'partition made',
    [
      'CREATE TABLE public.held_p# PARTITION OF public.own_parts FOR VALUES IN (#)',
      'INSERT INTO public.own_parts VALUES (#)',
      'COMMIT',
    ],
    there('held_p#'),
    'refused',
    /held_p#/,
  ),
  ending(
    'column added',
    ['ALTER TABLE public.own ADD COLUMN c# int', 'COMMIT'],
    "SELECT count(*)::text AS answer FROM pg_attribute WHERE attrelid = 'public.own'::regclass AND attname = 'c#'",
    'refused',
    /\bown\b/,
    'ALTER TABLE public.own DROP COLUMN c#',
  ),
  ending(
    'right given',
    ['GRANT SELECT ON public.own TO clerk', 'COMMIT'],
    "SELECT has_table_privilege('clerk', 'public.own', 'SELECT')::text AS answer",
    'refused',
    /\bown\b/,
    'REVOKE SELECT ON public.own FROM clerk',
  ),
  ending(
    'comment made',
    ["COMMENT ON TABLE public.own IS 'held #'", 'COMMIT'],
    "SELECT coalesce(obj_description('public.own'::regclass), '') AS answer",
    'refused',
    /\bown\b/,
    'COMMENT ON TABLE public.own IS NULL',
  ),
  ending(
    'materialized view refreshed',
    ['REFRESH MATERIALIZED VIEW public.own_sums', 'COMMIT'],
    'SELECT n::text AS answer FROM public.own_sums',
    undefined,
    /own_sums/,
  ),
  {
    kind: 'longer than the pause',
    by: 'router',
    begins: ['BEGIN', written],
    ends: ['SELECT pg_sleep(4)', 'COMMIT'],
    shows: counted,
    named: /shop_app/,
    comes: 'refused',
  },
  {
    kind: 'with a table locked for long',
    by: 'router',
    begins: ['BEGIN', 'LOCK TABLE public.own IN ACCESS EXCLUSIVE MODE', written],
    ends: ['COMMIT'],
    shows: counted,
    named: /own|shop_app/,
  },
  {
    kind: 'past the router, open and left so',
    by: 'server',
    begins: ['BEGIN', written],
    ends: [],
    shows: counted,
    named: /dba|item/,
  },
  {
    kind: 'past the router, with a table locked',
    by: 'server',
    begins: ['BEGIN', 'LOCK TABLE public.item IN SHARE ROW EXCLUSIVE MODE'],
    ends: [],
    shows: counted,
    named: /dba|item/,
  },
  {
    kind: 'past the router, ended in the hold',
    by: 'server',
    begins: ['BEGIN', written],
    ends: ['COMMIT'],
    shows: counted,
    named: /dba|item/,
  },
  {
    kind: 'past the router, committing without end',
    by: 'server',
    begins: [],
    beside:
      "DO $$ BEGIN FOR i IN 1..100000 LOOP INSERT INTO public.item (v) VALUES ('held #'); COMMIT; PERFORM pg_sleep(0.002); END LOOP; END $$",
    ends: [],
    shows: counted,
    named: /item/,
    comes: 'carried',
  },
  {
    kind: 'past the router, an index built beside a transaction',
    by: 'server',
    begins: ['BEGIN', written],
    beside: 'CREATE INDEX CONCURRENTLY held# ON public.item (n)',
    ends: [],
    shows: there('held#'),
    named: /held#/,
    undo: 'DROP INDEX public.held#',
  },
  {
    kind: 'past the router, a copy that takes its time',
    by: 'server',
    begins: [],
    beside: "COPY public.item (v) FROM PROGRAM 'echo held #; sleep 1.5; echo held #'",
    ends: [],
    shows: counted,
    named: /item|dba/,
  },
  {
    kind: 'with a cursor that outlives its transaction',
    by: 'router',
    begins: [written, 'BEGIN', 'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM public.item', 'COMMIT', 'FETCH 2 FROM c'],
    ends: [],
    shows: counted,
    named: /item/,
  },
  {
    kind: 'with an advisory lock, a temporary table and a prepared statement',
    by: 'router',
    begins: [
      'SELECT pg_advisory_lock(#)',
      'CREATE TEMP TABLE mine AS SELECT 1 AS id',
      'PREPARE made AS SELECT * FROM public.item',
      'LISTEN news',
      written,
    ],
    ends: [],
    shows: counted,
    named: /item/,
  },
  {
    kind: 'with an old snapshot, read only',
    by: 'router',
    begins: ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'SELECT count(*) FROM public.item'],
    ends: ['SELECT count(*) FROM public.item', 'COMMIT', written],
    shows: counted,
    named: /item|shop_app/,
    comes: 'carried',
  },
  {
    kind: 'notifying thousands',
    by: 'router',
    begins: [
      'LISTEN storm',
      'BEGIN',
      written,
      "SELECT count(pg_notify('storm', g::text)) FROM generate_series(1, 3000) g",
    ],
    ends: [nap, 'COMMIT'],
    shows: counted,
    named: /item/,
    comes: 'carried',
  },
  {
    kind: 'past the router, with an old snapshot that is kept',
    by: 'server',
    begins: [written, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'SELECT count(*) FROM public.item'],
    ends: [],
    shows: counted,
    named: /item|dba/,
  },
  {
    kind: 'past the router, its snapshot given away',
    by: 'server',
    begins: [written, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT pg_export_snapshot()'],
    ends: [],
    shows: counted,
    named: /item|dba/,
  },
  {
    kind: 'past the router, with every table locked for readers',
    by: 'server',
    begins: [written, 'BEGIN', 'LOCK TABLE public.child IN ACCESS EXCLUSIVE MODE'],
    ends: [],
    shows: counted,
    named: /child|dba/,
  },
  {
    kind: 'past the router, a view read anew beside it',
    by: 'server',
    begins: [],
    beside: 'REFRESH MATERIALIZED VIEW CONCURRENTLY public.tallies',
    ends: [],
    shows: "SELECT string_agg(n::text, ',') AS answer FROM public.tallies",
    named: /tallies/,
  },
  {
    kind: 'as another role, with a path, a zone and a setting of its own',
    by: 'router',
    begins: [
      'SET ROLE team',
      'SET search_path = aside, public',
      "SET TIME ZONE 'Asia/Kathmandu'",
      "SET app.tenant = 'held #'",
    ],
    ends: [
      `INSERT INTO public.by_whom (role, path, zone, v)
        VALUES (current_user, current_setting('search_path'), current_setting('timezone'), current_setting('app.tenant'))`,
    ],
    shows:
      "SELECT string_agg(format('%s %s %s', role, path, zone), ';') AS answer FROM public.by_whom WHERE v = 'held #'",
    named: /by_whom/,
    comes: 'carried',
  },
  {
    kind: 'with a statement prepared under a setting of one transaction',
    by: 'router',
    begins: [
      "PREPARE made_# AS INSERT INTO public.item (v) VALUES ('held #')",
      'BEGIN',
      "SET LOCAL search_path = 'aside'",
      'EXECUTE made_#',
      'COMMIT',
    ],
    ends: ['EXECUTE made_#'],
    shows: counted,
    named: /item/,
    comes: 'carried',
  },
  {
    kind: 'past the router, a partition detached beside readers',
    by: 'server',
    begins: ['BEGIN', 'SELECT count(*) FROM public.meter'],
    beside: 'ALTER TABLE public.meter DETACH PARTITION public.meter_2 CONCURRENTLY',
    ends: [],
    shows: "SELECT relispartition::text AS answer FROM pg_class WHERE oid = 'public.meter_2'::regclass",
    named: /meter/,
    undo: `DO $$ DECLARE each name; BEGIN
      IF (SELECT relispartition FROM pg_class WHERE oid = 'public.meter_2'::regclass) THEN RETURN; END IF;
      FOR each IN SELECT conname FROM pg_constraint WHERE conrelid = 'public.meter_2'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE public.meter_2 DROP CONSTRAINT %I', each); END LOOP;
      ALTER TABLE public.meter ATTACH PARTITION public.meter_2 FOR VALUES FROM (100) TO (200); END $$`,
  },
  {
    kind: 'past the router, thousands of rows deleted beside it',
    by: 'server',
    begins: [
      'BEGIN',
      "INSERT INTO public.many SELECT 900000 + # * 1000 + g, 'held' FROM generate_series(1, 900) g",
      'COMMIT',
    ],
    beside: 'DELETE FROM public.many WHERE id % 5 = # % 5',
    ends: [],
    shows: "SELECT count(*) || ' ' || sum(id) AS answer FROM public.many",
    named: /public\.many|dba/,
  },
];
