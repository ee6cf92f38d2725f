import { loginsOf, type LoginSecret } from '../model/logins.ts';
import { VerdigrisError } from '../model/errors.ts';
import { settingTarget, settingValue } from './compare/globals-databases.ts';
import { rows, type Client } from './client.ts';
import { ident, literal } from './quote.ts';
import { quietly } from './secretly.ts';
import { passwordClause } from './verifier.ts';

/**
 * That a role `r` becomes `role` when it logs in: by that a login is known for one of ours. A comment on it would be a
 * change of the live colour's schema.
 */
const becomes = (role: string): string => `EXISTS (
  SELECT FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0 AND s.setconfig @> ARRAY[${literal(`role=${role}`)}])`;

/**
 * Makes `current` what a role is let in by; `before` stays good until its time, by the server's own clock; every other
 * login of the role has no password any more. All at once. Safe to run again.
 * @throws VerdigrisError `login-taken`.
 */
export async function setLogins(
  client: Client,
  role: string,
  current: LoginSecret,
  before: { readonly login: string; readonly until: string } | undefined,
): Promise<void> {
  // A verifier is no password, but who has it can try passwords against it.
  await quietly(client, async () => {
    if (current.login !== role) await makeMember(client, role, current.login);
    await client.query(
      `ALTER ROLE ${ident(current.login)} LOGIN VALID UNTIL 'infinity' ${passwordClause(current.password)}`,
    );
    for (const login of await ownLogins(client, role)) {
      if (login === current.login) continue;
      await client.query(
        `ALTER ROLE ${ident(login)} ${login === before?.login ? `VALID UNTIL ${literal(before.until)}` : 'PASSWORD NULL'}`,
      );
    }
  });
}

/** The role itself and those that rotations made, as far as they are there. */
async function ownLogins(client: Client, role: string): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT r.rolname AS name FROM pg_roles r WHERE r.rolname = $1 OR (r.rolname = ANY ($2) AND ${becomes(role)}) ORDER BY 1`,
    [role, loginsOf(role)],
  );
  return found.map(({ name }) => name);
}

/** What holds for a login and is not inherited (limit of connections, settings) is the role's own. */
async function makeMember(client: Client, role: string, login: string): Promise<void> {
  await requireFree(client, role, login);
  const [there] = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [login]);
  const [{ connections = -1 } = {}] = await rows<{ connections?: number }>(
    client,
    'SELECT rolconnlimit AS connections FROM pg_roles WHERE rolname = $1',
    [role],
  );
  await client.query(
    `${there ? 'ALTER' : 'CREATE'} ROLE ${ident(login)} LOGIN INHERIT CONNECTION LIMIT ${connections};
    GRANT ${ident(role)} TO ${ident(login)}; ALTER ROLE ${ident(login)} RESET ALL`,
  );
  const settings = await rows<{ database: string; name: string; value: string }>(
    client,
    `SELECT coalesce(d.datname, '') AS database, split_part(c.entry, '=', 1) AS name, substr(c.entry, strpos(c.entry, '=') + 1) AS value
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry) WHERE r.rolname = $1`,
    [role],
  );
  for (const { database, name, value } of settings)
    await client.query(
      `${settingTarget({ database, role: login })} SET ${ident(name)} TO ${settingValue({ name, value })}`,
    );
  await client.query(`ALTER ROLE ${ident(login)} SET role = ${literal(role)}`);
}

async function requireFree(client: Client, role: string, login: string): Promise<void> {
  const [taken] = await rows(client, `SELECT FROM pg_roles r WHERE r.rolname = $1 AND NOT ${becomes(role)}`, [login]);
  const long = Buffer.byteLength(login) > 63;
  if (!taken && !long) return;
  throw new VerdigrisError('login-taken', {
    seen: long
      ? `${login} is longer than the 63 bytes that PostgreSQL keeps of a name.`
      : `There is a role ${login} already, which no rotation made.`,
    required: `a second login for ${role}, so that clients can switch while the first one still works.`,
    next: `${long ? '' : 'rename that role; or '}run \`verdigris rotate ${role} --at-once\`: the login stays and its password changes. Nothing was changed.`,
    facts: { role, login },
  });
}
