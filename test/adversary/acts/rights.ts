import { act, count, role, type Act } from './act.ts';

/** Who may do what, and what is said of things. */
export const rights: readonly Act[] = [
  act(
    'grant on a sequence',
    'GRANT UPDATE ON SEQUENCE public.counter TO clerk',
    "SELECT coalesce(relacl::text, '') AS answer FROM pg_class WHERE oid = 'public.counter'::regclass",
    /counter/,
    'REVOKE UPDATE ON SEQUENCE public.counter FROM clerk',
  ),
  act(
    'grant on a type',
    'REVOKE USAGE ON TYPE public.mood FROM PUBLIC',
    "SELECT coalesce(typacl::text, '') AS answer FROM pg_type WHERE typname = 'mood'",
    /mood/,
    'GRANT USAGE ON TYPE public.mood TO PUBLIC',
  ),
  act(
    'grant on a language',
    'REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC',
    "SELECT coalesce(lanacl::text, '') AS answer FROM pg_language WHERE lanname = 'plpgsql'",
    /plpgsql/,
    'GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC',
  ),
  act(
    'grant on a server',
    'GRANT USAGE ON FOREIGN SERVER far TO clerk',
    "SELECT coalesce(srvacl::text, '') AS answer FROM pg_foreign_server WHERE srvname = 'far'",
    /far/,
    'REVOKE USAGE ON FOREIGN SERVER far FROM clerk',
  ),
  act(
    'role past row security',
    'ALTER ROLE clerk BYPASSRLS NOINHERIT CREATEDB',
    role('clerk', "rolbypassrls || ',' || rolinherit || ',' || rolcreatedb"),
    /clerk/,
    'ALTER ROLE clerk NOBYPASSRLS INHERIT NOCREATEDB',
  ),
  act(
    'default privileges of functions',
    'ALTER DEFAULT PRIVILEGES FOR ROLE clerk REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
    count('pg_default_acl'),
    /clerk|default/,
    'ALTER DEFAULT PRIVILEGES FOR ROLE clerk GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
  ),
  act(
    'comment on a function',
    "COMMENT ON FUNCTION public.given() IS 'said #'",
    count("pg_description WHERE description = 'said #'"),
    /given/,
    'COMMENT ON FUNCTION public.given() IS NULL',
  ),
  act(
    'comment on a constraint',
    "COMMENT ON CONSTRAINT guarded_pkey ON public.guarded IS 'said #'",
    count("pg_description WHERE description = 'said #'"),
    /guarded/,
    'COMMENT ON CONSTRAINT guarded_pkey ON public.guarded IS NULL',
  ),
  act(
    'comment on a type',
    "COMMENT ON TYPE public.mood IS 'said #'",
    count("pg_description WHERE description = 'said #'"),
    /mood/,
    'COMMENT ON TYPE public.mood IS NULL',
  ),
];
