import { rows, type Client } from './client.ts';

/** A role as which nobody can log in: by NOLOGIN, or by the rules of pg_hba.conf for whoever comes over TCP from here. */
export interface ShutOut {
  readonly role: string;
  /** The rule that refuses it, by file and line; null where no rule lets it in. */
  readonly rule?: { readonly file: string; readonly line: number } | null;
}

/** Of a role that is a group of logins, as a rotated one is, its members are asked, near and far. */
export function shutOut(client: Client, roles: readonly string[]): Promise<ShutOut[]> {
  return rows<ShutOut>(
    client,
    `SELECT r.rolname AS role FROM pg_roles r WHERE r.rolname = ANY ($1::text[]) AND NOT r.rolcanlogin AND NOT EXISTS (
      SELECT FROM pg_roles login WHERE login.rolcanlogin AND NOT login.rolsuper AND login.rolname NOT LIKE 'verdigris%'
      AND pg_has_role(login.oid, r.oid, 'MEMBER')) ORDER BY 1`,
    [roles],
  );
}

/**
 * By the files as they are now, for clients that come as this session does, or from the server's own machine where it
 * came by a socket. Names of hosts are passed over: who has them is not known here. From PostgreSQL 16 on rules may be
 * in files that pg_hba.conf includes. Only a superuser may read them; to all others there is none.
 */
export function rejectedByRule(client: Client, roles: readonly string[]): Promise<ShutOut[]> {
  return rows<ShutOut>(
    client,
    `WITH here AS (
      SELECT coalesce(inet_client_addr(), '127.0.0.1') AS address, current_database()::text AS database,
        coalesce(inet_client_addr() = inet_server_addr(), true) AS near,
        coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls),
    rule AS (
      SELECT type, database, user_name, address, netmask, auth_method, line_number AS line,
        coalesce(to_jsonb(r) ->> 'file_name', current_setting('hba_file')) AS file,
        coalesce((to_jsonb(r) ->> 'rule_number')::int, line_number) AS number
      FROM pg_hba_file_rules r WHERE error IS NULL)
    SELECT role, CASE WHEN auth_method IS NOT NULL THEN jsonb_build_object('file', file, 'line', line) END AS rule
    FROM here, unnest($1::text[]) AS role LEFT JOIN LATERAL (
      SELECT rule.* FROM rule WHERE type IN ('host', CASE WHEN tls THEN 'hostssl' ELSE 'hostnossl' END)
      AND EXISTS (SELECT FROM unnest(rule.database) AS d WHERE d IN ('all', here.database) OR (d = 'sameuser' AND role = here.database)
        OR (d IN ('samerole', 'samegroup') AND ${isMember('here.database')}) OR (d ^@ '/' AND here.database ~ substr(d, 2)))
      AND EXISTS (SELECT FROM unnest(user_name) AS u WHERE u IN ('all', role)
        OR (u ^@ '+' AND ${isMember('substr(u, 2)')}) OR (u ^@ '/' AND role ~ substr(u, 2)))
      AND (rule.address = 'all' OR (near AND rule.address IN ('samehost', 'samenet'))
        OR CASE WHEN netmask IS NOT NULL AND family(rule.address::inet) = family(here.address)
          THEN (rule.address::inet & netmask::inet) = (here.address & netmask::inet) ELSE false END)
      ORDER BY number LIMIT 1) first ON true
    WHERE coalesce(auth_method, 'reject') = 'reject' ORDER BY 1`,
    [roles],
  ).catch(() => []);
}

/** Whether `role`, which may not be there, is in a group. */
function isMember(group: string): string {
  return `EXISTS (SELECT FROM pg_roles me, pg_roles its WHERE me.rolname = role AND its.rolname = ${group}
    AND pg_has_role(me.oid, its.oid, 'MEMBER'))`;
}
