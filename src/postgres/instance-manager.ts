import type { Client } from './client.ts';
import { rows } from './client.ts';
import type { OpenRole } from './fence-by-rights.ts';
import { isSuperuser } from './superuser.ts';

/**
 * Roles by which CloudNativePG runs its servers, empty elsewhere: closed, its instance manager would be locked out at
 * the next restart, and its standbys at their next connect. The sign is in a file, where only the manager writes it; as
 * a setting anybody could give himself one. Only a superuser can tell, and only he closes these roles: to anybody else
 * there are none.
 */
export async function managerRoles(client: Client): Promise<readonly string[]> {
  const before = found.get(client);
  if (before) return before;
  if (!(await isSuperuser(client))) return [];
  const sign = await rows(client, "SELECT FROM pg_file_settings WHERE name = 'cnpg.config_sha256' LIMIT 1");
  const roles = sign.length === 0 ? [] : ['postgres', 'streaming_replica'];
  found.set(client, roles);
  return roles;
}

/** By session: clients wait while it is asked. */
const found = new WeakMap<Client, readonly string[]>();

/**
 * SQL: whether a row of pg_stat_activity is a session by which the server is run, of the roles in the value `roles`: by
 * its own socket, or of a standby, whom pg_hba.conf lets into no database of a user's.
 */
export function runsServer(roles: string): string {
  return `coalesce(usename = ANY (${roles}) AND (client_addr IS NULL OR (usename = 'streaming_replica' AND datname = 'postgres')), false)`;
}

/** Those of them that have a password, and so a way in for others. */
export async function managersWithPassword(client: Client, roles: readonly string[]): Promise<OpenRole[]> {
  // Passwords are a superuser's to read, and who is none has no such roles.
  if (roles.length === 0) return [];
  return rows<OpenRole>(
    client,
    `SELECT rolname AS role, 'it runs the server and must keep LOGIN; without a password nobody else comes in by it' AS why
    FROM pg_authid WHERE rolname = ANY ($1) AND rolcanlogin AND rolpassword IS NOT NULL ORDER BY 1`,
    [roles],
  );
}
