import { act, count, exists, relation, role, type Act } from './act.ts';

export const carried: readonly Act[] = [
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
    "ALTER ROLE clerk VALID UNTIL '2#0-01-01' CONNECTION LIMIT #",
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
  act(
    'transaction prepared and committed',
    [
      'BEGIN',
      "INSERT INTO public.item (v) VALUES ('both #')",
      "PREPARE TRANSACTION 'both#'",
      "COMMIT PREPARED 'both#'",
    ],
    count('public.item'),
    /item/,
  ),
  act(
    'sequence near its end',
    "SELECT nextval('public.short')",
    'SELECT last_value::text AS answer FROM public.short',
    /short/,
  ),
  act(
    'password of a role whose name begins as ours do',
    "ALTER ROLE verdigris_team PASSWORD 'other #'",
    role('verdigris_team', 'md5(rolpassword)'),
    /verdigris_team/,
  ),
];
