import { randomUUID } from 'node:crypto';
import { VerdigrisError } from '../model/errors.ts';
import { operatorRole, ownRoles } from '../model/names.ts';
import { waitFor } from '../model/wait.ts';
import { rows, withTransaction, type Client } from './client.ts';
import {
  closeByRights,
  openByRights,
  reopenByRights,
  requireClosed,
  takenConnect,
  type OpenRole,
} from './fence-by-rights.ts';
import { borrowControlSchema } from './control.ts';
import { endLogins, endSessions } from './fence-sessions.ts';
import { turnLock } from './hba-lock.ts';
import { managerRoles, managersWithPassword } from './instance-manager.ts';
import { proveClosed, proveRefused } from './knock.ts';
import { ident } from './quote.ts';
import { isSuperuser } from './superuser.ts';
import { takeToken } from './token.ts';

/** Roles that a fence leaves their LOGIN: nobody else has their credentials. */
const ours = ownRoles;

/**
 * Closes a colour to everybody but Verdigris. Every other role that can log in, superusers too, is set NOLOGIN and
 * remembered in verdigris.fenced_role; where pg_hba.conf is ours it refuses them as well; every foreign session is
 * ended. Returns when nobody is left, no role that was made meanwhile can log in, and an attempt to get in was refused.
 * The roles are closed in one transaction with the check of the token, so that an operator who slept through his
 * successor's work cannot fence what that one opened. An operator who is no superuser closes by his rights: NOLOGIN
 * where he may, else CONNECT on the database. `accept` are roles that the declaration leaves open, as they cannot be
 * closed; their sessions stay.
 * @throws VerdigrisError `fence-open` where another role cannot be closed, and then nothing is; `fence-leaks` after
 * `limit` ms.
 */
export async function fenceServer(
  client: Client,
  token: number,
  limit: number,
  accept: readonly string[] = [],
): Promise<void> {
  await (
    await closeServer(client, token, limit, accept)
  ).refused;
}

/**
 * As `fenceServer`, and returns while the attempt to get in is still under way: it takes as long as connecting does,
 * and clients wait. Databases that are closed one after another share the `password` of the role that knocks.
 */
export async function closeServer(
  client: Client,
  token: number,
  limit: number,
  accept: readonly string[] = [],
  password: string = randomUUID(),
): Promise<{ readonly refused: Promise<void> }> {
  const until = performance.now() + limit;
  const left = () => Math.max(0, until - performance.now());
  const everybody = await isSuperuser(client);
  const managers = await managerRoles(client);
  requireClosed(await managersWithPassword(client, managers), []);
  const close = () => closeRoles(client, token, left(), everybody ? managers : { accept, password });
  await close();
  const locked = everybody && (await turnLock(client, 'closed'));
  const refused = locked
    ? proveRefused(client, await fencedRoles(client), left())
    : everybody
      ? Promise.resolve()
      : proveClosed(client, password, left());
  refused.catch(() => undefined);
  do {
    await endLogins(client, left());
    await endSessions(client, token, left(), everybody ? [] : accept, managers);
    // A session that was ended may have made a role before, or given LOGIN back, and somebody may have come in by it.
  } while ((await openRoles(client, everybody ? managers : { accept })).length > 0 && (await close()));
  return { refused };
}

/**
 * Looks once more, right before the commit point: whoever keeps roles by a manifest may have given one its LOGIN back.
 * @throws VerdigrisError `fence-open`
 */
export async function requireFenced(client: Client, accept: readonly string[] = []): Promise<void> {
  const everybody = await isSuperuser(client);
  const open = await openRoles(client, everybody ? await managerRoles(client) : { accept });
  requireClosed(
    open.map((role) => ({ role, why: 'somebody gave it LOGIN again behind the fence' })),
    [],
  );
}

/** Roles that a fence would leave open, found by closing all for a moment, in a transaction that is rolled back. */
export async function unclosable(client: Client): Promise<OpenRole[]> {
  if (await isSuperuser(client)) return [];
  await client.query('BEGIN');
  try {
    await borrowControlSchema(client);
    await closeByRights(client, randomUUID());
    return await openByRights(client);
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Opens what `fenceServer` closed, exactly. The second lock first: as long as a role is remembered, the next command
 * knows what is to be opened.
 */
export async function unfence(client: Client, token: number): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    const everybody = await isSuperuser(client);
    if (everybody) await turnLock(client, 'open');
    const closed = await rows<{ name: string; admitted: boolean }>(
      client,
      'SELECT f.name, f.admitted FROM verdigris.fenced_role f JOIN pg_roles r ON r.rolname = f.name',
    );
    const opening = closed.flatMap(({ name, admitted }) => [
      `ALTER ROLE ${ident(name)} LOGIN`,
      ...(admitted ? [readOnly(client, name, false)] : []),
    ]);
    await client.query([...opening, 'DELETE FROM verdigris.fenced_role'].join(';'));
    if (!everybody) await reopenByRights(client);
  });
}

/**
 * Lets roles that can only read in again, with read-only as their default, on a colour that stays fenced to all others:
 * by NOLOGIN alone, for pg_hba.conf cannot name every role (one with a line break in its name).
 */
export async function admitReaders(client: Client, token: number, readers: readonly string[]): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    const closed = await rows<{ name: string }>(
      client,
      'UPDATE verdigris.fenced_role SET admitted = true WHERE name = ANY ($1) RETURNING name',
      [readers],
    );
    for (const { name } of closed)
      await client.query(`ALTER ROLE ${ident(name)} LOGIN; ${readOnly(client, name, true)}`);
    const shut = (await isSuperuser(client)) ? [] : await shutOut(client, readers);
    if (shut.length > 0) throw readersShut(shut);
  });
  if (await isSuperuser(client)) await turnLock(client, 'open');
}

/**
 * CONNECT is taken from them as from everybody: it is not theirs alone to be given back, and they could not be made
 * read-only.
 */
async function shutOut(client: Client, readers: readonly string[]): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT rolname AS name FROM pg_roles
    WHERE rolname = ANY ($1) AND rolcanlogin AND NOT has_database_privilege(oid, current_database()::text, 'CONNECT') ORDER BY 1`,
    [readers],
  );
  return found.map(({ name }) => name);
}

function readersShut(readers: readonly string[]): VerdigrisError {
  return new VerdigrisError('readers-shut', {
    seen: `${readers.join(', ')} may not be altered there by ${operatorRole}: the fence closed them by CONNECT on the database.`,
    required: 'readers whom the fence can let in again, read-only.',
    next:
      `have \`GRANT ${readers.map((name) => ident(name)).join(', ')} TO ${operatorRole} WITH ADMIN OPTION\` run there; ` +
      'or continue without a canary. Nothing was changed.',
    facts: { readers },
  });
}

/** In this database only: a setting of the role that the user made for all databases stays as it was. */
function readOnly(client: Client, role: string, on: boolean): string {
  return (
    `ALTER ROLE ${ident(role)} IN DATABASE ${ident(client.database ?? '')} ` +
    `${on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only'}`
  );
}

/** Names of the roles that a fence keeps out of this colour. */
export async function fencedRoles(client: Client): Promise<string[]> {
  return (await rows<{ name: string }>(client, 'SELECT name FROM verdigris.fenced_role ORDER BY name')).map(
    ({ name }) => name,
  );
}

/** Whom a fence keeps out of this database: by NOLOGIN, or because CONNECT was taken from them (PUBLIC: everybody). */
export async function keptOut(client: Client): Promise<string[]> {
  const taken = (await takenConnect(client)).map(({ grantee }) => grantee || 'PUBLIC');
  return [...new Set([...(await fencedRoles(client)), ...taken])];
}

/** `accept`: of an operator who closes by his rights; else the roles that run the server, which a superuser leaves. */
type LeftOpen = { readonly accept: readonly string[] } | readonly string[];

async function openRoles(client: Client, left: LeftOpen): Promise<string[]> {
  if ('accept' in left)
    return (await openByRights(client)).flatMap(({ role }) => (left.accept.includes(role) ? [] : [role]));
  return (
    await rows<{ name: string }>(
      client,
      'SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname <> ALL ($1)',
      [[...ours, ...left]],
    )
  ).map(({ name }) => name);
}

/**
 * Sets every role that can log in NOLOGIN, and remembers it. What was true when the lock was had is the truth:
 * a change of a role that is under way then is not committed, and its session is ended as all others are.
 */
async function closeRoles(
  client: Client,
  token: number,
  limit: number,
  how: { readonly accept: readonly string[]; readonly password: string } | readonly string[],
): Promise<true> {
  const byRights = 'accept' in how ? how : undefined;
  const close = () =>
    withTransaction(client, async () => {
      await takeToken(client, token);
      if (byRights) {
        await closeByRights(client, byRights.password);
        requireClosed(await openByRights(client), byRights.accept);
        return true as const;
      }
      await client.query('LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE NOWAIT');
      const names = await openRoles(client, how);
      if (names.length === 0) return true as const;
      await client.query('INSERT INTO verdigris.fenced_role (name) SELECT unnest($1::name[]) ON CONFLICT DO NOTHING', [
        names,
      ]);
      await client.query(names.map((name) => `ALTER ROLE ${ident(name)} NOLOGIN`).join(';'));
      return true as const;
    });
  return waitFor(
    () =>
      close().catch(async (error: { code?: string }) => {
        // 55P03 lock_not_available; XX000 "tuple concurrently updated", where no lock keeps others from the roles
        if (error.code !== '55P03' && !(byRights && error.code === 'XX000')) throw error;
        await endRoleChanges(client);
        return undefined;
      }),
    {
      limit,
      every: 1,
      slowest: 4,
      id: 'fence-leaks',
      what: 'no transaction that changes roles',
      next: 'find out who changes roles, and stop it.',
    },
  );
}

async function endRoleChanges(client: Client): Promise<void> {
  await client.query(
    `
    WITH holder AS MATERIALIZED (
      SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = 'pg_catalog.pg_authid'::regclass AND l.granted AND l.mode <> 'AccessShareLock'
      AND a.usename IS DISTINCT FROM $1 AND a.backend_type <> 'autovacuum worker')
    SELECT pg_terminate_backend(pid) FROM holder`,
    [operatorRole],
  );
}
