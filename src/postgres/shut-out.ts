import { rows, type Client } from './client.ts';

/** A role as which nobody can log in: by NOLOGIN, or by a rule of pg_hba.conf that refuses whoever comes over TCP. */
export interface ShutOut {
  readonly role: string;
  /** Of that rule. */
  readonly line?: number | undefined;
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

/** By the file as it is now. Only a superuser may read it; to all others there is none. */
export function rejectedByRule(client: Client, roles: readonly string[]): Promise<ShutOut[]> {
  return rows<ShutOut>(
    client,
    `SELECT role, line FROM unnest($1::text[]) AS role, LATERAL (
      SELECT line_number AS line, auth_method FROM pg_hba_file_rules
      WHERE error IS NULL AND type IN ('host', 'hostnossl') AND database && ARRAY['all', current_database()::text]
        AND user_name && ARRAY['all', role] AND (address IN ('all', 'samehost', 'samenet')
          OR (address ~ '^[0-9.]+$' AND (address::inet & netmask::inet) = (inet '127.0.0.1' & netmask::inet)))
      ORDER BY line_number LIMIT 1) first WHERE auth_method = 'reject' ORDER BY 1`,
    [roles],
  ).catch(() => []);
}
