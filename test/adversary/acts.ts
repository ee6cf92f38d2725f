/** Something that goes on beside a release, by somebody with the right to it. */
export interface Act {
  readonly kind: string;
  /** Statements, each for itself. `#` is another number in each trial. */
  readonly does: readonly string[];
  /** A query whose one answer tells on either colour whether it happened there. */
  readonly shows: string;
  /** What a refusal has to name. */
  readonly named: RegExp;
  /** Takes it back where a refusal left it on the live colour. */
  readonly undo?: string;
  /** How whoever does it is connected; left out: an ordinary session of a superuser. */
  readonly by?: 'replication' | 'application' | 'candidate';
}

const act = (kind: string, does: string | readonly string[], shows: string, named: RegExp, undo?: string): Act => ({
  kind,
  does: typeof does === 'string' ? [does] : does,
  shows,
  named,
  ...(undo === undefined ? {} : { undo }),
});

const count = (of: string): string => `SELECT count(*)::text AS answer FROM ${of}`;
const relation = (name: string): string => count(`pg_class WHERE relname = '${name}'`);
const column = (table: string, shape: string): string =>
  `SELECT coalesce(string_agg(${shape}, ',' ORDER BY attnum), '') AS answer FROM pg_attribute WHERE ` +
  `attrelid = to_regclass('public.${table}') AND attnum > 0 AND NOT attisdropped`;
const role = (name: string, shape: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ','), 'none') AS answer FROM pg_authid WHERE rolname = '${name}'`;
const exists = (catalogue: string, key: string, name: string): string => count(`${catalogue} WHERE ${key} = '${name}'`);

const tables: readonly Act[] = [
  act(
    'table made',
    ['CREATE TABLE public.t# (id int PRIMARY KEY)', 'INSERT INTO public.t# VALUES (1)'],
    relation('t#'),
    /t#/,
    'DROP TABLE public.t#',
  ),
  act(
    'table made of a query',
    'CREATE TABLE public.q# AS SELECT 1 AS id',
    relation('q#'),
    /q#/,
    'DROP TABLE public.q#',
  ),
  act(
    'unlogged table made',
    'CREATE UNLOGGED TABLE public.u# (id int PRIMARY KEY)',
    relation('u#'),
    /u#/,
    'DROP TABLE public.u#',
  ),
  act(
    'column added',
    'ALTER TABLE public.item ADD COLUMN c# int',
    column('item', 'attname'),
    /item/,
    'ALTER TABLE public.item DROP COLUMN c#',
  ),
  act(
    'column widened',
    'ALTER TABLE public.item ALTER COLUMN n TYPE bigint',
    column('item', 'atttypid::text'),
    /item/,
    'ALTER TABLE public.item ALTER COLUMN n TYPE int',
  ),
  act(
    'column renamed',
    'ALTER TABLE public.item RENAME COLUMN v TO v#',
    column('item', 'attname'),
    /item/,
    'ALTER TABLE public.item RENAME COLUMN v# TO v',
  ),
  act(
    'default set',
    'ALTER TABLE public.item ALTER COLUMN n SET DEFAULT #',
    "SELECT coalesce(string_agg(pg_get_expr(adbin, adrelid), ','), '') AS answer FROM pg_attrdef WHERE adrelid = 'public.item'::regclass",
    /item/,
    'ALTER TABLE public.item ALTER COLUMN n DROP DEFAULT',
  ),
  act(
    'NOT NULL set',
    'ALTER TABLE public.item ALTER COLUMN v SET NOT NULL',
    column('item', 'attnotnull::text'),
    /item/,
    'ALTER TABLE public.item ALTER COLUMN v DROP NOT NULL',
  ),
  act(
    'check added',
    'ALTER TABLE public.item ADD CONSTRAINT k# CHECK (id > 0)',
    exists('pg_constraint', 'conname', 'k#'),
    /k#/,
    'ALTER TABLE public.item DROP CONSTRAINT k#',
  ),
  act(
    'unique added',
    'ALTER TABLE public.item ADD CONSTRAINT y# UNIQUE (id, v)',
    exists('pg_constraint', 'conname', 'y#'),
    /y#/,
    'ALTER TABLE public.item DROP CONSTRAINT y#',
  ),
  act(
    'foreign key added',
    'ALTER TABLE public.child ADD CONSTRAINT f# FOREIGN KEY (id) REFERENCES public.item',
    exists('pg_constraint', 'conname', 'f#'),
    /f#/,
    'ALTER TABLE public.child DROP CONSTRAINT f#',
  ),
  act('index made', 'CREATE INDEX x# ON public.item (v)', relation('x#'), /x#/, 'DROP INDEX public.x#'),
  act(
    'table renamed',
    'ALTER TABLE public.child RENAME TO child#',
    relation('child#'),
    /child/,
    'ALTER TABLE public.child# RENAME TO child',
  ),
  act(
    'storage parameter set',
    'ALTER TABLE public.item SET (fillfactor = 7#)',
    "SELECT coalesce(reloptions::text, '') AS answer FROM pg_class WHERE oid = 'public.item'::regclass",
    /item/,
    'ALTER TABLE public.item RESET (fillfactor)',
  ),
  act(
    'replica identity set',
    'ALTER TABLE public.item REPLICA IDENTITY FULL',
    "SELECT relreplident::text AS answer FROM pg_class WHERE oid = 'public.item'::regclass",
    /item/,
    'ALTER TABLE public.item REPLICA IDENTITY DEFAULT',
  ),
  act(
    'row security on',
    'ALTER TABLE public.item ENABLE ROW LEVEL SECURITY',
    "SELECT relrowsecurity::text AS answer FROM pg_class WHERE oid = 'public.item'::regclass",
    /item/,
    'ALTER TABLE public.item DISABLE ROW LEVEL SECURITY',
  ),
  act(
    'policy made',
    'CREATE POLICY p# ON public.item USING (true)',
    exists('pg_policy', 'polname', 'p#'),
    /p#/,
    'DROP POLICY p# ON public.item',
  ),
  act(
    'rule made',
    'CREATE RULE r# AS ON INSERT TO public.child DO ALSO NOTHING',
    exists('pg_rewrite', 'rulename', 'r#'),
    /r#/,
    'DROP RULE r# ON public.child',
  ),
  act(
    'trigger made',
    'CREATE TRIGGER g# BEFORE INSERT ON public.child FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    exists('pg_trigger', 'tgname', 'g#'),
    /g#/,
    'DROP TRIGGER g# ON public.child',
  ),
  act(
    'statistics made',
    'CREATE STATISTICS public.s# ON id, n FROM public.item',
    exists('pg_statistic_ext', 'stxname', 's#'),
    /s#/,
    'DROP STATISTICS public.s#',
  ),
  act(
    'comment made',
    "COMMENT ON TABLE public.item IS 'no. #'",
    "SELECT coalesce(obj_description('public.item'::regclass, 'pg_class'), '') AS answer",
    /item/,
    'COMMENT ON TABLE public.item IS NULL',
  ),
];

const others: readonly Act[] = [
  act('view made', 'CREATE VIEW public.w# AS SELECT 1', relation('w#'), /w#/, 'DROP VIEW public.w#'),
  act(
    'materialized view made',
    'CREATE MATERIALIZED VIEW public.m# AS SELECT 1',
    relation('m#'),
    /m#/,
    'DROP MATERIALIZED VIEW public.m#',
  ),
  act(
    'function made',
    "CREATE FUNCTION public.fn#() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    exists('pg_proc', 'proname', 'fn#'),
    /fn#/,
    'DROP FUNCTION public.fn#',
  ),
  act(
    'enum made',
    "CREATE TYPE public.e# AS ENUM ('a')",
    exists('pg_type', 'typname', 'e#'),
    /e#/,
    'DROP TYPE public.e#',
  ),
  act(
    'enum widened',
    "ALTER TYPE public.mood ADD VALUE 'v#'",
    count("pg_enum WHERE enumtypid = 'public.mood'::regtype"),
    /mood/,
  ),
  act(
    'domain made',
    'CREATE DOMAIN public.d# AS int',
    exists('pg_type', 'typname', 'd#'),
    /d#/,
    'DROP DOMAIN public.d#',
  ),
  act('schema made', 'CREATE SCHEMA n#', exists('pg_namespace', 'nspname', 'n#'), /n#/, 'DROP SCHEMA n#'),
  act(
    'schema of a name like ours made',
    'CREATE SCHEMA verdigris_#',
    exists('pg_namespace', 'nspname', 'verdigris_#'),
    /verdigris_#/,
    'DROP SCHEMA verdigris_#',
  ),
  act(
    'collation made',
    "CREATE COLLATION public.l# (locale = 'C')",
    exists('pg_collation', 'collname', 'l#'),
    /l#/,
    'DROP COLLATION public.l#',
  ),
  act(
    'text search made',
    'CREATE TEXT SEARCH CONFIGURATION public.z# (COPY = simple)',
    exists('pg_ts_config', 'cfgname', 'z#'),
    /z#/,
    'DROP TEXT SEARCH CONFIGURATION public.z#',
  ),
  act(
    'aggregate made',
    'CREATE AGGREGATE public.a# (int) (SFUNC = int4pl, STYPE = int)',
    exists('pg_proc', 'proname', 'a#'),
    /a#/,
    'DROP AGGREGATE public.a# (int)',
  ),
  act(
    'cast made',
    'CREATE CAST (public.mood AS int) WITH INOUT',
    count("pg_cast WHERE castsource = 'public.mood'::regtype"),
    /mood/,
    'DROP CAST (public.mood AS int)',
  ),
  act(
    'event trigger made',
    'CREATE EVENT TRIGGER ev# ON ddl_command_end EXECUTE FUNCTION public.noted()',
    exists('pg_event_trigger', 'evtname', 'ev#'),
    /ev#/,
    'DROP EVENT TRIGGER ev#',
  ),
  act(
    'publication made',
    'CREATE PUBLICATION pub# FOR TABLE public.item',
    exists('pg_publication', 'pubname', 'pub#'),
    /pub#/,
    'DROP PUBLICATION pub#',
  ),
  act(
    'extension made',
    'CREATE EXTENSION IF NOT EXISTS pg_trgm',
    exists('pg_extension', 'extname', 'pg_trgm'),
    /pg_trgm/,
    'DROP EXTENSION IF EXISTS pg_trgm',
  ),
  act(
    'server made',
    ['CREATE FOREIGN DATA WRAPPER fdw#', 'CREATE SERVER srv# FOREIGN DATA WRAPPER fdw#'],
    exists('pg_foreign_server', 'srvname', 'srv#'),
    /srv#|fdw#/,
    'DROP FOREIGN DATA WRAPPER fdw# CASCADE',
  ),
  act(
    'grant on a table',
    'GRANT DELETE ON public.child TO shop_reader',
    "SELECT coalesce(relacl::text, '') AS answer FROM pg_class WHERE relname LIKE 'child%' AND relkind = 'r'",
    /child/,
    'REVOKE DELETE ON public.child FROM shop_reader',
  ),
  act(
    'grant on a catalogue',
    'GRANT SELECT ON pg_catalog.pg_statistic TO shop_reader',
    "SELECT coalesce(relacl::text, '') AS answer FROM pg_class WHERE oid = 'pg_statistic'::regclass",
    /pg_statistic/,
    'REVOKE SELECT ON pg_catalog.pg_statistic FROM shop_reader',
  ),
  act(
    'grant on a parameter',
    'GRANT SET ON PARAMETER log_statement TO shop_reader',
    count("pg_parameter_acl WHERE parname = 'log_statement'"),
    /log_statement/,
    'REVOKE SET ON PARAMETER log_statement FROM shop_reader',
  ),
  act(
    'default privileges set',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO shop_reader',
    count('pg_default_acl'),
    /default|privileges|public/,
    'ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM shop_reader',
  ),
  act(
    'owner changed',
    'ALTER TABLE public.child OWNER TO shop_app',
    "SELECT pg_get_userbyid(relowner)::text AS answer FROM pg_class WHERE oid = 'public.child'::regclass",
    /child/,
    'ALTER TABLE public.child OWNER TO dba',
  ),
];

const swaps: readonly Act[] = [
  act(
    'table swapped',
    [
      'CREATE TABLE public.swap# (LIKE public.price INCLUDING ALL)',
      'INSERT INTO public.swap# VALUES (#, 1)',
      'DROP TABLE public.price',
      'ALTER TABLE public.swap# RENAME TO price',
    ],
    "SELECT string_agg(id::text, ',') AS answer FROM public.price",
    /price/,
  ),
  act('partition truncated', 'TRUNCATE public.meter_1', count('public.meter'), /meter/),
  act(
    'partition made',
    [
      'CREATE TABLE public.mp# PARTITION OF public.meter FOR VALUES FROM (#000) TO (#999)',
      'INSERT INTO public.meter VALUES (#001)',
    ],
    relation('mp#'),
    /mp#/,
    'DROP TABLE public.mp#',
  ),
  act(
    'partition detached',
    'ALTER TABLE public.meter DETACH PARTITION public.meter_2',
    "SELECT relispartition::text AS answer FROM pg_class WHERE oid = 'public.meter_2'::regclass",
    /meter_2/,
    'ALTER TABLE public.meter ATTACH PARTITION public.meter_2 FOR VALUES FROM (100) TO (200)',
  ),
  act(
    'table attached',
    [
      'CREATE TABLE public.at# (id int PRIMARY KEY)',
      'ALTER TABLE public.meter ATTACH PARTITION public.at# FOR VALUES FROM (#000) TO (#999)',
    ],
    relation('at#'),
    /at#/,
    'DROP TABLE public.at#',
  ),
  act('table truncated', 'TRUNCATE public.emptied', count('public.emptied'), /emptied/),
  act('partitioned table truncated', 'TRUNCATE public.meter', count('public.meter'), /meter/),
  act(
    'table rewritten',
    ['VACUUM (FULL) public.item', 'REINDEX TABLE public.item', 'ANALYZE public.item'],
    count('public.item'),
    /item/,
  ),
];

const carried: readonly Act[] = [
  act('rows written', "INSERT INTO public.item (v, n) VALUES ('row #', #)", count('public.item'), /item/),
  act(
    'rows changed and deleted',
    ["UPDATE public.item SET v = 'changed #' WHERE id = 1", 'DELETE FROM public.item WHERE id = 2'],
    "SELECT string_agg(id || v, ',' ORDER BY id) AS answer FROM public.item WHERE id < 4",
    /item/,
  ),
  act(
    'rows written under an origin',
    [
      "SELECT pg_replication_origin_create('feed#')",
      "SELECT pg_replication_origin_session_setup('feed#')",
      "INSERT INTO public.item (v) VALUES ('fed #')",
    ],
    count('public.item'),
    /item|feed#/,
  ),
  act(
    'sequence set, not called',
    "SELECT setval('public.counter', 1000 + #, false)",
    'SELECT CASE WHEN last_value >= 1000 THEN last_value || is_called::text END AS answer FROM public.counter',
    /counter/,
  ),
  act(
    'sequence restarted',
    'ALTER SEQUENCE public.counter RESTART WITH 5#',
    'SELECT last_value || is_called::text AS answer FROM public.counter',
    /counter/,
  ),
  act('sequence made', 'CREATE SEQUENCE public.sq#', relation('sq#'), /sq#/, 'DROP SEQUENCE public.sq#'),
  act(
    'sequence altered',
    'ALTER SEQUENCE public.counter INCREMENT BY 1#',
    "SELECT seqincrement::text AS answer FROM pg_sequence WHERE seqrelid = 'public.counter'::regclass",
    /counter/,
    'ALTER SEQUENCE public.counter INCREMENT BY 1',
  ),
  act('role made', 'CREATE ROLE role# LOGIN', role('role#', 'rolcanlogin'), /role#/),
  act(
    'password changed',
    "ALTER ROLE shop_reader PASSWORD 'other #'",
    role('shop_reader', 'md5(rolpassword)'),
    /shop_reader/,
  ),
  act('role locked out', 'ALTER ROLE clerk NOLOGIN', role('clerk', 'rolcanlogin'), /clerk/),
  act(
    'role limited',
    "ALTER ROLE clerk VALID UNTIL '2040-01-0#' CONNECTION LIMIT #",
    role('clerk', 'rolvaliduntil::text || rolconnlimit::text'),
    /clerk/,
  ),
  act(
    'role set',
    "ALTER ROLE clerk SET work_mem = '#MB'",
    "SELECT coalesce(string_agg(setconfig::text, ','), '') AS answer FROM pg_db_role_setting WHERE setrole = 'clerk'::regrole",
    /clerk/,
  ),
  act(
    'role made a member',
    'GRANT pg_monitor TO clerk',
    count("pg_auth_members WHERE member = 'clerk'::regrole"),
    /clerk/,
  ),
  act(
    'database set',
    "ALTER DATABASE shop SET work_mem = '1#MB'",
    "SELECT coalesce(string_agg(setconfig::text, ','), '') AS answer FROM pg_db_role_setting WHERE setrole = 0",
    /shop|work_mem/,
  ),
  act(
    'large object made',
    'SELECT lo_create(#)',
    count('pg_largeobject_metadata'),
    /large object/,
    'SELECT lo_unlink(#)',
  ),
  act(
    'transaction prepared',
    ['BEGIN', "INSERT INTO public.item (v) VALUES ('prepared #')", "PREPARE TRANSACTION 'gid#'"],
    count('pg_prepared_xacts'),
    /gid#|prepared|transaction/,
    "ROLLBACK PREPARED 'gid#'",
  ),
  act(
    'another database made',
    'CREATE DATABASE billing#',
    exists('pg_database', 'datname', 'billing#'),
    /billing#/,
    'DROP DATABASE billing#',
  ),
  {
    ...act(
      'rows written by a walsender',
      "INSERT INTO public.item (v) VALUES ('sent #')",
      count('public.item'),
      /item/,
    ),
    by: 'replication',
  },
  {
    ...act(
      'rows written past the router',
      "INSERT INTO public.item (v) VALUES ('direct #')",
      count('public.item'),
      /item/,
    ),
    by: 'application',
  },
  {
    ...act(
      'rows written to the candidate',
      "INSERT INTO public.item (v) VALUES ('astray #')",
      count("public.item WHERE v LIKE 'astray%'"),
      /item/,
    ),
    by: 'candidate',
  },
];

export const acts: readonly Act[] = [...tables, ...others, ...swaps, ...carried];

/** Every table that acts use, and who does what. */
export const world = `
  CREATE ROLE dba SUPERUSER LOGIN; CREATE ROLE clerk LOGIN;
  CREATE TYPE public.mood AS ENUM ('good');
  CREATE TABLE public.item (id serial PRIMARY KEY, v text, n int);
  INSERT INTO public.item (v) SELECT 'x' FROM generate_series(1, 50);
  CREATE TABLE public.child (id int PRIMARY KEY);
  CREATE TABLE public.price (id int PRIMARY KEY, cents int); INSERT INTO public.price VALUES (1, 100);
  CREATE TABLE public.emptied (id int PRIMARY KEY); INSERT INTO public.emptied SELECT generate_series(1, 20);
  CREATE TABLE public.meter (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE public.meter_1 PARTITION OF public.meter FOR VALUES FROM (0) TO (100);
  CREATE TABLE public.meter_2 PARTITION OF public.meter FOR VALUES FROM (100) TO (200);
  INSERT INTO public.meter SELECT generate_series(1, 150);
  CREATE SEQUENCE public.counter;
  CREATE FUNCTION public.noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  GRANT SELECT, INSERT, UPDATE, DELETE ON public.item TO shop_app; GRANT USAGE ON SEQUENCE public.item_id_seq TO shop_app;
  GRANT ALL ON SCHEMA public TO shop_app`;
