import { operatorRole } from '../model/names.ts';
import { declaredSetting } from './tool-history/known.ts';

/**
 * Settings by which every session of Verdigris means the same whatever ALTER ROLE, ALTER DATABASE and postgresql.conf
 * say. They go into the startup packet, which is above those three, so that there is no statement before them.
 */

/** Limits and modes that were meant for an application and would stop or change an operator's work half-way. */
const neverInherited = {
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // No JIT: the planner takes questions to the catalogue for dear ones, and compiling each costs a hundred times what
  // it answers in.
  jit: 'off',
  // What PostgreSQL reports as committed is in the log.
  synchronous_commit: 'local',
  password_encryption: 'scram-sha-256',
};

/**
 * What a name, a literal or a value's text means. An object of anybody else's is never found by its bare name,
 * temporary ones included.
 */
const fixedMeaning = {
  search_path: 'pg_catalog,pg_temp',
  role: 'none',
  // A policy is an error where it would hide rows, and not a silent filter.
  row_security: 'off',
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  xmloption: 'content',
  array_nulls: 'on',
  lc_monetary: 'C',
  default_tablespace: '',
  default_table_access_method: 'heap',
};

/**
 * `own`: Verdigris's statements and nothing else. `database`: SQL of the user's (a dump, a migration, a mask, what
 * ANALYZE and REFRESH evaluate), which finds names and reads literals as under any other client of that database.
 * `routed`: to the router of this machine, where clients wait for each round trip. `pooled`: to PgBouncer or through
 * it, which refuses startup parameters that it could not give to whichever connection a transaction comes to.
 */
export type SessionKind = 'own' | 'database' | 'routed' | 'pooled';

/**
 * The `options` of a startup packet; none for `pooled`. `lockLimit` in ms, 0 for none; `older`: a server before
 * PostgreSQL 14, which ends no idle session; `superuser`: known beforehand to be one.
 */
export function startupOptions(
  kind: SessionKind,
  readOnly: boolean,
  lockLimit: number,
  history: readonly string[] = [],
  older = false,
  superuser = false,
): string | undefined {
  if (kind === 'pooled') return undefined;
  const { idle_session_timeout: idle, ...inherited } = neverInherited;
  const settings = {
    ...inherited,
    ...(older ? {} : { idle_session_timeout: idle }),
    ...(kind === 'database' ? {} : fixedMeaning),
    // A trigger ON login runs before the first statement.
    ...(kind === 'own' && superuser ? { session_replication_role: 'replica' } : {}),
    default_transaction_read_only: readOnly ? 'on' : 'off',
    lock_timeout: String(Math.ceil(lockLimit)),
    ...(history.length > 0 ? { [declaredSetting]: history.join(',') } : {}),
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`)
    .join(' ');
}

// Qualified, for names of the user's database may find operators of anybody's before PostgreSQL's.
const superuser = "pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on'";

/**
 * A schema in which Verdigris's own tables and functions would be, and who, being no superuser, owns it. Through a
 * pooler an application's role has sessions of the same kinds as well.
 */
export const takenSchema = `(SELECT pg_catalog.json_build_object('schema', n.nspname, 'owner', r.rolname)
    FROM ONLY pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE ${superuser} AND n.nspname OPERATOR(pg_catalog.=) ANY ('{verdigris,verdigris_fence}'::pg_catalog.name[]) AND NOT r.rolsuper
      AND r.rolname OPERATOR(pg_catalog.<>) '${operatorRole}'::pg_catalog.name LIMIT 1) AS taken`;

/**
 * Settings that not every server has or that not every role may make, and that a startup packet therefore must not
 * name. Event triggers are for what people do: they neither see nor stop Verdigris's own DDL. Up to PostgreSQL 16 the
 * replica role does that; it also keeps triggers and rules of user tables from firing, which is what a copy of rows
 * wants. Who is no superuser has the rights of a role that he makes only where this is set: he hands tables over to it.
 */
export function settingsAfterwards(kind: SessionKind, serverMajor: number): string | undefined {
  if (kind === 'pooled' || kind === 'routed') return undefined;
  const has = (name: string): string => `pg_catalog.current_setting('${name}', true) IS NOT NULL`;
  const set = (name: string, value: string): string => `pg_catalog.set_config('${name}', '${value}', false)`;
  // By itself, and before what reads the catalogue: the transaction of both is under the limit until then.
  const unlimited = serverMajor >= 17 ? 'SET transaction_timeout = 0; ' : '';
  if (kind === 'database') return `${unlimited}SELECT ${takenSchema}`;
  return `${unlimited}SELECT ${takenSchema},
    CASE WHEN ${superuser} THEN ${set('session_replication_role', 'replica')} END,
    CASE WHEN ${superuser} AND ${has('event_triggers')} THEN ${set('event_triggers', 'off')} END,
    CASE WHEN NOT ${superuser} AND ${has('createrole_self_grant')} THEN ${set('createrole_self_grant', 'set, inherit')} END`;
}
