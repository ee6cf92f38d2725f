import { one, type Client } from '../client.ts';

/** What belongs to a server and not to a database's rows, by `[kind, …names]` as JSON: equal values mean that nothing changed. */
export type Globals = ReadonlyMap<string, string>;

/**
 * Roles (whether they could log in before a fence closed them, and a hash of their verifier), memberships, settings by role and database,
 * owner, limit and grants of the database, user mappings, replication origins of applications with their position.
 * Verdigris's own and PostgreSQL's roles are left out.
 * In one statement: under the fence it is read once more.
 */
export async function readGlobals(client: Client): Promise<Globals> {
  const { entries } = await one<{ entries: [string, string][] }>(
    client,
    `
    WITH role AS MATERIALIZED (
      SELECT a.*, f.name IS NOT NULL AS fenced, coalesce(f.admitted, false) AS admitted FROM pg_authid a
        LEFT JOIN verdigris.fenced_role f ON f.name = a.rolname WHERE a.rolname !~ '^(pg_|verdigris)'),
    entry (key, value) AS (
      SELECT json_build_array('role', rolname), json_build_array(rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit,
        coalesce(CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC',
          'YYYY-MM-DD HH24:MI:SS.US+00') ELSE rolvaliduntil::text END, 'infinity'))::text FROM role
      UNION ALL SELECT json_build_array('oid', rolname), oid::text FROM role
      UNION ALL SELECT json_build_array('login', rolname), '' FROM role WHERE rolcanlogin OR fenced
      UNION ALL SELECT json_build_array('password', rolname), encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex') FROM role WHERE rolpassword IS NOT NULL
      UNION ALL SELECT json_build_array('member', r.rolname, m.rolname, coalesce(g.rolname, '')),
        json_build_array(a.admin_option, to_jsonb(a)->'inherit_option', to_jsonb(a)->'set_option')::text
        FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN role m ON m.oid = a.member LEFT JOIN pg_roles g ON g.oid = a.grantor
      UNION ALL SELECT json_build_array('setting', coalesce(d.datname, ''), coalesce(r.rolname, ''),
        split_part(c.entry, '=', 1)), substr(c.entry, strpos(c.entry, '=') + 1)
        FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry)
        LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN role r ON r.oid = s.setrole
        WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND (s.setrole = 0 OR r.oid IS NOT NULL)
          AND NOT (coalesce(r.admitted, false) AND d.datname IS NOT NULL AND starts_with(c.entry, 'default_transaction_read_only='))
      UNION ALL SELECT json_build_array('owner', d.datname), pg_get_userbyid(d.datdba) FROM pg_database d WHERE d.datname = current_database()
      UNION ALL SELECT json_build_array('connections', d.datname), d.datconnlimit::text FROM pg_database d WHERE d.datname = current_database()
      UNION ALL SELECT json_build_array('grant', d.datname, coalesce(g.rolname, ''), a.privilege_type), bool_or(a.is_grantable)::text
        FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE d.datname = current_database() AND coalesce(g.rolname, '') !~ '^(pg_|verdigris)' GROUP BY d.datname, g.rolname, a.privilege_type
      UNION ALL SELECT json_build_array('mapping', srvname, coalesce(usename, 'public')),
        encode(sha256(convert_to(coalesce(umoptions::text, ''), 'UTF8')), 'hex') FROM pg_user_mappings
      UNION ALL SELECT json_build_array('origin', o.roname), coalesce(s.remote_lsn, '0/0')::text
        FROM pg_replication_origin o LEFT JOIN pg_show_replication_origin_status() s ON s.local_id = o.roident WHERE o.roname !~ '^pg_[0-9]+$')
    SELECT coalesce(json_agg(json_build_array(key::text, value) ORDER BY key::text COLLATE "C"), '[]') AS entries FROM entry`,
  );
  return new Map(entries);
}
