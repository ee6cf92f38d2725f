import { act, count, type Act } from './act.ts';

const of = (catalogue: string, shape: string, where: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ','), 'none') AS answer FROM ${catalogue} WHERE ${where}`;
const said = count("pg_description WHERE description = 'said #'");

/** Another owner of something, and back. */
const owned = (what: string, kind: string, name: string, catalogue: string, prefix: string, to = 'team'): Act =>
  act(
    `owner of ${what} changed`,
    `ALTER ${kind} ${name} OWNER TO ${to}`,
    of(catalogue, `pg_get_userbyid(${prefix}owner)`, `${prefix}name = '${name.replace(/.*\./, '')}'`),
    new RegExp(name.replace(/.*\./, '')),
    `ALTER ${kind} ${name} OWNER TO verdigris_operator`,
  );

const commented = (what: string, on: string, named: RegExp, before = 'NULL'): Act =>
  act(`comment on ${what}`, `COMMENT ON ${on} IS 'said #'`, said, named, `COMMENT ON ${on} IS ${before}`);

/** Whose things are, who may use them and what is said of them: where it is no table, and no database of the release. */
export const owners: readonly Act[] = [
  owned('a type', 'TYPE', 'public.pair', 'pg_type', 'typ'),
  owned('a view', 'VIEW', 'public.seen', 'pg_class', 'rel'),
  owned('a sequence', 'SEQUENCE', 'public.counter', 'pg_class', 'rel'),
  owned('statistics', 'STATISTICS', 'public.st', 'pg_statistic_ext', 'stx'),
  owned('a publication', 'PUBLICATION', 'feed', 'pg_publication', 'pub', 'dba'),
  owned('a server', 'SERVER', 'far', 'pg_foreign_server', 'srv', 'dba'),
  owned('an event trigger', 'EVENT TRIGGER', 'noting', 'pg_event_trigger', 'evt', 'dba'),
  act(
    'statistics moved to another schema',
    'ALTER STATISTICS public.st SET SCHEMA aside',
    of('pg_statistic_ext', 'stxnamespace::regnamespace', "stxname = 'st'"),
    /\bst\b/,
    'ALTER STATISTICS aside.st SET SCHEMA public',
  ),
  commented('an index', 'INDEX public.spare_w_key', /spare/),
  commented('a policy', 'POLICY own ON public.guarded', /own|guarded/),
  commented('a publication', 'PUBLICATION feed', /feed/),
  commented('an event trigger', 'EVENT TRIGGER noting', /noting/),
  commented('an extension', 'EXTENSION plpgsql', /plpgsql/, "'PL/pgSQL procedural language'"),
  act(
    'grant on a wrapper',
    'GRANT USAGE ON FOREIGN DATA WRAPPER farther TO clerk',
    of('pg_foreign_data_wrapper', "coalesce(fdwacl::text, '')", "fdwname = 'farther'"),
    /farther/,
    'REVOKE USAGE ON FOREIGN DATA WRAPPER farther FROM clerk',
  ),
  act(
    'grant on a tablespace',
    'GRANT CREATE ON TABLESPACE pg_default TO clerk',
    "SELECT has_tablespace_privilege('clerk', 'pg_default', 'CREATE')::text AS answer",
    /pg_default/,
    'REVOKE CREATE ON TABLESPACE pg_default FROM clerk',
  ),
  act(
    'option of a tablespace set',
    'ALTER TABLESPACE pg_default SET (random_page_cost = 1.#)',
    of('pg_tablespace', "coalesce(spcoptions::text, '')", "spcname = 'pg_default'"),
    /pg_default/,
    'ALTER TABLESPACE pg_default RESET (random_page_cost)',
  ),
  act(
    'comment on a tablespace',
    "COMMENT ON TABLESPACE pg_default IS 'said #'",
    count("pg_shdescription WHERE description = 'said #'"),
    /pg_default/,
    'COMMENT ON TABLESPACE pg_default IS NULL',
  ),
  act(
    'another database set',
    "ALTER DATABASE postgres SET work_mem = '1#MB'",
    of('pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase', 'setconfig', "datname = 'postgres'"),
    /postgres/,
    'ALTER DATABASE postgres RESET work_mem',
  ),
  act(
    'role set in another database',
    "ALTER ROLE clerk IN DATABASE postgres SET work_mem = '1#MB'",
    of('pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase', 'setconfig', "datname = 'postgres'"),
    /postgres|clerk/,
    'ALTER ROLE clerk IN DATABASE postgres RESET work_mem',
  ),
  act(
    'rights to another database given',
    'GRANT CREATE ON DATABASE postgres TO clerk',
    "SELECT has_database_privilege('clerk', 'postgres', 'CREATE')::text AS answer",
    /postgres|clerk/,
    'REVOKE CREATE ON DATABASE postgres FROM clerk',
  ),
];
