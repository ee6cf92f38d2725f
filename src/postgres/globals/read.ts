import { one, type Client } from '../client.ts';
import { notOfUser } from '../fingerprint/scope.ts';
import { maintenance } from '../maintenance.ts';

/**
 * What belongs to a server and not to a database's rows, by `[kind, …names]` as JSON: equal values mean that nothing
 * changed.
 */
export type Globals = ReadonlyMap<string, string>;

/**
 * Roles (whether they could log in before a fence closed them, and a hash of their verifier), memberships, settings by
 * role and database, owner, limit, use as a template and grants of the database (as they were before a fence took CONNECT), settings, limit
 * and grants of the database `postgres` where both servers are ours, user mappings, replication origins of applications
 * with their position. Verdigris's own and PostgreSQL's roles are left out. What this role may not read is named as
 * `["unread", kind]`. `byRights`: between servers of which one gives no superuser; superusers are the service's there,
 * and who granted does not count, for nobody can grant in another's name. In one statement: under the fence it is read
 * once more.
 */
export async function readGlobals(client: Client, byRights = false, scope: GlobalScope = 'server'): Promise<Globals> {
  const unread = await unreadable(client);
  const { entries } = await one<{ entries: [string, string][] }>(client, statement(new Set(unread), byRights, scope));
  const inside = scope === 'server' ? entries : entries.filter(([key]) => isOfDatabase(key));
  return new Map([...inside, ...unread.map((kind) => [unreadKey(kind), ''] as const)]);
}

/** `database`: only what is of the database of the session, and not of the whole server. */
export type GlobalScope = 'server' | 'database';

function isOfDatabase(key: string): boolean {
  const [kind = '', database = ''] = JSON.parse(key) as string[];
  return (
    ['owner', 'connections', 'template', 'grant', 'mapping'].includes(kind) || (kind === 'setting' && database !== '')
  );
}

type UnreadKind = 'password' | 'mapping' | 'origin';

/** The entry that says so. */
export function unreadKey(kind: string): string {
  return JSON.stringify(['unread', kind]);
}

/** Asked once a session: clients wait. */
const known = new WeakMap<Client, UnreadKind[]>();

export async function unreadable(client: Client): Promise<UnreadKind[]> {
  const before = known.get(client);
  if (before) return before;
  const may = await one<Record<UnreadKind, boolean>>(
    client,
    `SELECT has_table_privilege('pg_authid', 'SELECT') AS password, current_setting('is_superuser') = 'on' AS mapping,
      has_function_privilege('pg_show_replication_origin_status()', 'EXECUTE') AS origin`,
  );
  const kinds = (['password', 'mapping', 'origin'] as const).filter((kind) => !may[kind]);
  known.set(client, kinds);
  return kinds;
}

/** All that pg_authid has but the verifiers, which pg_roles masks. */
const withoutPasswords = `(SELECT oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
  NULL::text AS rolpassword, rolvaliduntil FROM pg_roles)`;

function statement(unread: ReadonlySet<UnreadKind>, byRights: boolean, scope: GlobalScope): string {
  // Of a server that is somebody's service, that database is the service's own. Its owner is who made the server.
  const whose =
    byRights || scope === 'database' ? 'current_database()' : `ANY (ARRAY[current_database(), '${maintenance}'])`;
  const theirs = (role: string): string =>
    byRights ? `AND NOT coalesce((SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = ${role}), false)` : '';
  return `
    WITH role AS MATERIALIZED (
      SELECT a.*, f.name IS NOT NULL AS fenced, coalesce(f.admitted, false) AS admitted FROM ${unread.has('password') ? withoutPasswords : 'pg_authid'} a
        LEFT JOIN verdigris.fenced_role f ON f.name = a.rolname WHERE NOT ${notOfUser('a.rolname')} ${theirs('a.rolname')}),
    entry (key, value) AS (
      SELECT json_build_array('role', rolname), json_build_array(rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit,
        coalesce(CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC',
          'YYYY-MM-DD HH24:MI:SS.US+00') ELSE rolvaliduntil::text END, 'infinity'))::text FROM role
      UNION ALL SELECT json_build_array('oid', rolname), oid::text FROM role
      UNION ALL SELECT json_build_array('login', rolname), '' FROM role WHERE rolcanlogin OR fenced
      UNION ALL SELECT json_build_array('password', rolname), encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex') FROM role WHERE rolpassword IS NOT NULL
      UNION ALL SELECT json_build_array('member', role, member, grantor), json_build_array(bool_or(admin), bool_or(inherit), bool_or(set))::text FROM (
        SELECT r.rolname AS role, m.rolname AS member, ${byRights ? "''" : "coalesce(g.rolname, '')"} AS grantor, a.admin_option AS admin,
          (to_jsonb(a)->>'inherit_option')::bool AS inherit, (to_jsonb(a)->>'set_option')::bool AS set
        FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN role m ON m.oid = a.member LEFT JOIN pg_roles g ON g.oid = a.grantor) AS given
        GROUP BY role, member, grantor
      UNION ALL SELECT json_build_array('setting', coalesce(d.datname, ''), coalesce(r.rolname, ''),
        split_part(c.entry, '=', 1)), substr(c.entry, strpos(c.entry, '=') + 1)
        FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry)
        LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN role r ON r.oid = s.setrole
        WHERE (s.setdatabase = 0 OR d.datname = ${whose}) AND (s.setrole = 0 OR r.oid IS NOT NULL)
          AND NOT (coalesce(r.admitted, false) AND d.datname IS NOT NULL AND starts_with(c.entry, 'default_transaction_read_only='))
      UNION ALL SELECT json_build_array('owner', d.datname), pg_get_userbyid(d.datdba) 
        FROM pg_database d WHERE d.datname = current_database() ${theirs('pg_get_userbyid(d.datdba)')}
      UNION ALL SELECT json_build_array('connections', d.datname), d.datconnlimit::text FROM pg_database d WHERE d.datname = ${whose}
      UNION ALL SELECT json_build_array('template', d.datname), d.datistemplate::text FROM pg_database d WHERE d.datname = ${whose}
      UNION ALL SELECT json_build_array('grant', name, grantee, privilege), bool_or(grantable)::text FROM (
        SELECT d.datname AS name, coalesce(g.rolname, '') AS grantee, a.privilege_type AS privilege, a.is_grantable AS grantable
          FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_roles g ON g.oid = a.grantee
          WHERE d.datname = ${whose} AND (d.datname = current_database() OR a.grantee <> d.datdba)
        UNION ALL SELECT current_database(), grantee, 'CONNECT', grantable FROM verdigris.fenced_connect) AS held
        WHERE NOT ${notOfUser('grantee')} ${theirs('grantee')} GROUP BY name, grantee, privilege
      ${unread.has('mapping') ? '' : mappings}
      ${unread.has('origin') ? '' : origins})
    SELECT coalesce(json_agg(json_build_array(key::text, value) ORDER BY key::text COLLATE "C"), '[]') AS entries FROM entry`;
}

const mappings = `UNION ALL SELECT json_build_array('mapping', srvname, coalesce(usename, 'public')),
        encode(sha256(convert_to(coalesce(umoptions::text, ''), 'UTF8')), 'hex') FROM pg_user_mappings`;

const origins = `UNION ALL SELECT json_build_array('origin', o.roname), coalesce(s.remote_lsn, '0/0')::text
        FROM pg_replication_origin o LEFT JOIN pg_show_replication_origin_status() s ON s.local_id = o.roident WHERE o.roname !~ '^pg_[0-9]+$'`;
