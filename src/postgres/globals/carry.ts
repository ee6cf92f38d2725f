import { VerdigrisError } from '../../model/errors.ts';
import { runQuietly } from '../compare/globals.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { ident } from '../quote.ts';
import { isSuperuser } from '../superuser.ts';
import { readGlobals, unreadKey, type Globals, type GlobalScope } from './read.ts';
import { statementKinds, statementFor } from './statements.ts';

/** What was carried over a connection: under the fence one look tells whether anything changed since. */
const carried = new WeakMap<Client, string>();

/**
 * Gives `to` what changed of `from`'s roles, passwords, memberships, settings and user mappings since they were last
 * carried there: a role that was locked out stays so, a password that was rotated is the new one. What differs on `to`
 * for another reason, as a migration made it, stays. A role can log in on `to` once that is opened, not before. Returns
 * how many changed.
 * @throws VerdigrisError `globals-not-carried` naming what `to` refuses.
 */
export async function carryGlobals(from: Client, to: Client, scope: GlobalScope = 'server'): Promise<number> {
  const byRights = !((await isSuperuser(from)) && (await isSuperuser(to)));
  const now = await readGlobals(from, byRights, scope);
  const text = JSON.stringify([...now]);
  if (carried.get(to) === text) return 0;
  const before = await readBase(to);
  await rename(to, before, now);
  const there = await readGlobals(to, byRights, scope);
  const absent = await withoutPlace(to, now, there);
  const theirs = byRights ? await unalterable(to) : new Set<string>();
  const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
    (key) =>
      carries(key, now) &&
      !absent.has(key) &&
      !isOf(key, theirs) &&
      now.get(key) !== before.get(key) &&
      now.get(key) !== there.get(key),
  );
  await apply(from, to, changed, now, there);
  await writeBase(to, new Map([...now].filter(([key]) => !absent.has(key))));
  // Should the writes move, what changes from then on is carried the other way.
  await writeBase(from, await readGlobals(to, byRights, scope));
  if (![...absent].some((key) => kindOf(key) === 'mapping')) carried.set(to, text);
  return changed.length;
}

/** What `from` does not show is none of what changed: it is set by hand, and stays. */
function carries(key: string, now: Globals): boolean {
  const kind = kindOf(key);
  return kind !== 'oid' && kind !== 'unread' && !now.has(unreadKey(kind));
}

/**
 * What is said of a database, or of users of a foreign server, that `to` does not have, or not yet: a seed by rows makes
 * the roles first, and the schema as theirs.
 */
async function withoutPlace(to: Client, now: Globals, there: Globals): Promise<ReadonlySet<string>> {
  const databases = namesOf(there, 'connections');
  const mapped = [...now.keys()].some((key) => kindOf(key) === 'mapping');
  const servers = mapped
    ? (await rows<{ name: string }>(to, 'SELECT srvname AS name FROM pg_foreign_server')).map(({ name }) => name)
    : [];
  return new Set(
    [...now.keys()].filter((key) => {
      const [kind = '', name = ''] = parse(key);
      if (kind === 'mapping') return !servers.includes(name);
      return ['setting', 'connections', 'template', 'grant'].includes(kind) && name !== '' && !databases.includes(name);
    }),
  );
}

function namesOf(globals: Globals, of: string): string[] {
  return [...globals.keys()].flatMap((key) => {
    const [kind, name = ''] = parse(key);
    return kind === of ? [name] : [];
  });
}

/** Roles that are there already and that somebody else made: what they are there is his to say. */
export async function unalterable(to: Client): Promise<ReadonlySet<string>> {
  const found = await rows<{ name: string }>(
    to,
    `SELECT rolname AS name FROM pg_roles WHERE current_setting('server_version_num')::int >= 160000
    AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') AND current_setting('is_superuser') = 'off'`,
  );
  return new Set(found.map(({ name }) => name));
}

function isOf(key: string, roles: ReadonlySet<string>): boolean {
  const [kind = '', name = ''] = parse(key);
  return ['role', 'login', 'password'].includes(kind) && roles.has(name);
}

/** On a copy: what it has is what the original had. */
export async function rememberGlobals(copy: Client, scope: GlobalScope = 'server'): Promise<void> {
  await writeBase(copy, await readGlobals(copy, false, scope));
}

async function apply(
  from: Client,
  to: Client,
  changed: readonly string[],
  now: Globals,
  there: Globals,
): Promise<void> {
  const major = await majorOf(to);
  const order = (key: string) => statementKinds.indexOf(kindOf(key));
  const statements = [];
  // Whoever gives a role on must have it with ADMIN OPTION first.
  const admin = (key: string) => (now.get(key)?.startsWith('[true') ? 0 : 1);
  for (const key of changed.toSorted((a, b) => order(a) - order(b) || admin(a) - admin(b)))
    statements.push(await statementFor(from, major, parse(key), now.get(key), there.get(key)));
  if (statements.length === 0) return;
  await runQuietly(to, statements).catch((cause: unknown) => {
    throw new VerdigrisError('globals-not-carried', {
      seen: `Changes of roles and their settings could not be carried: ${(cause as Error).message}.`,
      required: `the same on both colours: ${changed.map((key) => parse(key).join(' ')).join('; ')}.`,
      next: 'make these changes on the other colour by hand, then run the same command again; nothing was changed, and clients continue.',
      cause,
    });
  });
}

/** A role that has another name now is the same one: its objects and rights are there. */
async function rename(to: Client, before: Globals, now: Globals): Promise<void> {
  for (const [key, oid] of before) {
    const [kind, name = ''] = parse(key);
    if (kind !== 'oid' || now.has(key)) continue;
    const renamed = [...now].find(([other, same]) => kindOf(other) === 'oid' && same === oid)?.[0];
    const [, called] = renamed === undefined ? [] : parse(renamed);
    if (called === undefined) continue;
    const there = await rows(to, 'SELECT FROM pg_roles WHERE rolname = $1', [name]);
    if (there.length === 0) continue;
    await to.query(`ALTER ROLE ${ident(name)} RENAME TO ${ident(called)}`);
    await to.query('UPDATE verdigris.fenced_role SET name = $2 WHERE name = $1', [name, called]);
  }
}

/** What was carried there last, of which the other server showed the value. */
export async function readBase(client: Client): Promise<Globals> {
  const found = await rows<{ key: string; value: string }>(client, 'SELECT key, value FROM verdigris.carried_global');
  return new Map(found.map(({ key, value }) => [key, value]));
}

async function writeBase(client: Client, globals: Globals): Promise<void> {
  const entries = [...globals].map(([key, value]) => ({ key, value }));
  await withTransaction(client, async () => {
    await client.query('DELETE FROM verdigris.carried_global');
    await client.query(
      'INSERT INTO verdigris.carried_global SELECT key, value FROM json_to_recordset($1) AS g(key text, value text)',
      [JSON.stringify(entries)],
    );
  });
}

function parse(key: string): string[] {
  return JSON.parse(key) as string[];
}

function kindOf(key: string): string {
  return parse(key)[0] ?? '';
}
