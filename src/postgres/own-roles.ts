import { VerdigrisError } from '../model/errors.ts';
import { rows, type Client } from './client.ts';
import { ident } from './quote.ts';
import { isSuperuser } from './superuser.ts';

/**
 * Before a role of Verdigris's name is given its rights: whoever may create roles may have made it first, and whoever is
 * its member becomes it by SET ROLE, with all that it is given. Nobody can be made one afterwards but by a superuser, or
 * by a member with ADMIN OPTION.
 * @throws VerdigrisError `role-taken`
 */
export async function requireOwnRole(client: Client, role: string): Promise<void> {
  // Elsewhere who made it is its member by that, and gives it no more than he has.
  if (!(await isSuperuser(client))) return;
  const found = await rows<{ name: string }>(
    client,
    `SELECT DISTINCT m.rolname AS name FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
    JOIN pg_roles r ON r.oid = a.roleid WHERE r.rolname = $1 AND NOT m.rolsuper ORDER BY 1`,
    [role],
  );
  if (found.length === 0) return;
  const members = found.map(({ name }) => name);
  throw new VerdigrisError('role-taken', {
    seen: `The role ${role} is there already on ${client.host}:${client.port}, and ${members.join(', ')} can become it (SET ROLE).`,
    required: 'a role of this name that Verdigris has made, or one that nobody but superusers can become.',
    next: `\`REVOKE ${role} FROM ${members.map((name) => ident(name)).join(', ')} CASCADE\`; then run the same command again. Nothing was changed.`,
    facts: { role, members },
  });
}
