import { act, count, role, type Act } from './act.ts';

const rowsOf = (table: string): string =>
  `SELECT coalesce(string_agg(format('%s', x), ' ' ORDER BY x.id), '') AS answer FROM public.${table} x`;
const memberOf = (name: string): string =>
  `SELECT coalesce(string_agg(format('%s', x), ' ' ORDER BY x), '') AS answer FROM (SELECT pg_get_userbyid(m.roleid), ` +
  `to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor' FROM pg_auth_members m WHERE pg_get_userbyid(m.member) = '${name}') x`;
const settingsOf = (name: string): string =>
  `SELECT coalesce(string_agg(setdatabase || entry, ' ' ORDER BY setdatabase, entry), '') AS answer ` +
  `FROM pg_db_role_setting, unnest(setconfig) AS entry WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = '${name}')`;

/** Of Verdigris's own publications; where there is none yet nothing happens. */
const publishing = (what: string): string =>
  `DO $$ DECLARE p text; BEGIN FOR p IN SELECT pubname FROM pg_publication WHERE pubname LIKE 'verdigris%' LOOP
    EXECUTE format('ALTER PUBLICATION %I SET (publish = ''${what}'')', p); END LOOP; END $$`;

/** The shape is the same in the end, what lies below it is not. */
export const alike: readonly Act[] = [
  act(
    'columns exchanged by their names',
    [
      'BEGIN',
      'ALTER TABLE public.twins RENAME a TO c',
      'ALTER TABLE public.twins RENAME b TO a',
      'ALTER TABLE public.twins RENAME c TO b',
      'COMMIT',
    ],
    'SELECT a || b AS answer FROM public.twins',
    /twins/,
    'ALTER TABLE public.twins RENAME a TO c; ALTER TABLE public.twins RENAME b TO a; ALTER TABLE public.twins RENAME c TO b',
  ),
  act(
    'rows rewritten by ALTER TABLE',
    'ALTER TABLE public.twins ALTER COLUMN n TYPE int USING n + #',
    'SELECT n::text AS answer FROM public.twins',
    /twins/,
  ),
  act(
    'column dropped and added again',
    [
      'BEGIN',
      'ALTER TABLE public.twins DROP COLUMN n',
      'ALTER TABLE public.twins ADD COLUMN n int DEFAULT 7#',
      'ALTER TABLE public.twins ALTER COLUMN n DROP DEFAULT',
      'COMMIT',
    ],
    'SELECT n::text AS answer FROM public.twins',
    /twins/,
  ),
  act(
    'rows of a partitioned table rewritten',
    'ALTER TABLE public.split ALTER COLUMN v TYPE text USING v || #::text',
    rowsOf('split'),
    /split/,
  ),
  act('partition of a partition truncated', 'TRUNCATE public.split_a', rowsOf('split'), /split_a/),
  act(
    'partition truncated and filled with as many rows',
    [
      'BEGIN',
      'TRUNCATE public.split_b',
      "INSERT INTO public.split SELECT g, 'new #' FROM generate_series(100, 102) g",
      'COMMIT',
    ],
    rowsOf('split'),
    /split_b/,
  ),
  act(
    'partition detached and attached again, emptied between',
    [
      'ALTER TABLE public.split DETACH PARTITION public.split_b',
      'DELETE FROM public.split_b WHERE id = 101',
      'ALTER TABLE public.split ATTACH PARTITION public.split_b FOR VALUES FROM (100) TO (200)',
    ],
    rowsOf('split'),
    /split_b/,
  ),
  act(
    'publication narrowed for a moment',
    [
      publishing('insert'),
      "UPDATE public.item SET v = 'unsent #' WHERE id = (SELECT min(id) FROM public.item)",
      publishing('insert, update, delete, truncate'),
    ],
    'SELECT v AS answer FROM public.item ORDER BY id LIMIT 1',
    /item/,
  ),
  act(
    'sequences exchanged by their names',
    [
      'BEGIN',
      'ALTER SEQUENCE public.counter RENAME TO between',
      'ALTER SEQUENCE public.other_counter RENAME TO counter',
      'ALTER SEQUENCE public.between RENAME TO other_counter',
      'COMMIT',
    ],
    'SELECT ((SELECT last_value FROM public.counter) > (SELECT last_value FROM public.other_counter))::text AS answer',
    /counter/,
  ),
  act(
    'sequence made again',
    [
      'DROP SEQUENCE public.other_counter',
      'CREATE SEQUENCE public.other_counter',
      "SELECT setval('public.other_counter', 3#)",
    ],
    "SELECT CASE WHEN last_value < 400 THEN 'low' END AS answer FROM public.other_counter",
    /other_counter/,
  ),
  act(
    'rows written with triggers off',
    ['SET session_replication_role = replica', "INSERT INTO public.item (v) VALUES ('quiet #')"],
    count('public.item'),
    /item/,
  ),
  act(
    'rows written and the table let go of its triggers',
    [
      'ALTER TABLE public.guarded DISABLE TRIGGER ALL',
      'INSERT INTO public.guarded VALUES (#)',
      'ALTER TABLE public.guarded ENABLE TRIGGER ALL',
    ],
    count('public.guarded'),
    /guarded/,
  ),
  act(
    'rows of a child taken by its parent',
    ['TRUNCATE ONLY public.forebear', "INSERT INTO public.forebear VALUES (#, 'f')"],
    rowsOf('forebear'),
    /forebear|heir/,
  ),
  act(
    'values of an enum exchanged',
    [
      'BEGIN',
      "ALTER TYPE public.mood RENAME VALUE 'good' TO 'x'",
      "ALTER TYPE public.mood RENAME VALUE 'bad' TO 'good'",
      "ALTER TYPE public.mood RENAME VALUE 'x' TO 'bad'",
      'COMMIT',
    ],
    'SELECT m::text AS answer FROM public.moody',
    /mood/,
    "ALTER TYPE public.mood RENAME VALUE 'good' TO 'x'; ALTER TYPE public.mood RENAME VALUE 'bad' TO 'good'; ALTER TYPE public.mood RENAME VALUE 'x' TO 'bad'",
  ),
  act(
    'schemas exchanged by their names',
    [
      'BEGIN',
      'ALTER SCHEMA aside RENAME TO between',
      'ALTER SCHEMA spare_schema RENAME TO aside',
      'ALTER SCHEMA between RENAME TO spare_schema',
      'COMMIT',
    ],
    "SELECT nspname::text AS answer FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 'in_aside'",
    /aside|spare_schema/,
    'ALTER SCHEMA aside RENAME TO between; ALTER SCHEMA spare_schema RENAME TO aside; ALTER SCHEMA between RENAME TO spare_schema',
  ),
  act(
    'role made again',
    [
      'DROP ROLE leaver',
      "CREATE ROLE leaver LOGIN PASSWORD 'new #' VALID UNTIL 'infinity' NOINHERIT CONNECTION LIMIT #",
    ],
    role('leaver', 'rolcanlogin::text || rolinherit || rolconnlimit || md5(rolpassword)'),
    /leaver/,
  ),
  act(
    'role given with its administration',
    'GRANT team TO shop_reader WITH ADMIN OPTION',
    memberOf('shop_reader'),
    /team/,
    'REVOKE team FROM shop_reader',
  ),
  act(
    'role of no login given one',
    "ALTER ROLE team LOGIN PASSWORD 'x#'",
    role('team', 'rolcanlogin::text || md5(rolpassword)'),
    /team/,
    'ALTER ROLE team NOLOGIN',
  ),
  act(
    'setting of awkward text',
    [
      "ALTER ROLE clerk SET search_path = '\"a b\", c''d', public",
      "ALTER ROLE clerk SET my.note = E'it''s \\\\ a\\nline #'",
      "ALTER ROLE clerk IN DATABASE shop SET temp_tablespaces = ''",
    ],
    settingsOf('clerk'),
    /clerk/,
  ),
  act(
    'settings of a role all reset',
    [
      "ALTER ROLE clerk SET work_mem = '9MB'",
      'ALTER ROLE clerk IN DATABASE shop RESET ALL',
      'ALTER ROLE clerk RESET ALL',
    ],
    settingsOf('clerk'),
    /clerk/,
  ),
  act(
    'password by MD5',
    ["SET password_encryption = 'md5'", "ALTER ROLE clerk PASSWORD 'md5 #'"],
    role('clerk', 'rolpassword'),
    /clerk/,
  ),
  act('validity ended', "ALTER ROLE clerk VALID UNTIL '-infinity'", role('clerk', 'rolvaliduntil'), /clerk/),
  act(
    'role for others granted by a third',
    ['GRANT team TO dba WITH ADMIN OPTION', 'SET ROLE dba', 'GRANT team TO leaver GRANTED BY dba', 'RESET ROLE'],
    memberOf('leaver'),
    /team|leaver/,
  ),
  act(
    'database set to what stops a session',
    [
      'ALTER DATABASE shop SET default_transaction_read_only = on',
      "ALTER DATABASE shop SET statement_timeout = '1ms'",
      "ALTER DATABASE shop SET lock_timeout = '1ms'",
      "ALTER DATABASE shop SET DateStyle = 'German'",
      "ALTER DATABASE shop SET session_replication_role = 'replica'",
    ],
    `SELECT coalesce(string_agg(entry, ' ' ORDER BY entry), '') AS answer
      FROM pg_db_role_setting, unnest(setconfig) AS entry WHERE setrole = 0 AND setdatabase > 0`,
    /statement_timeout|read_only/,
    'ALTER DATABASE shop RESET ALL',
  ),
];
