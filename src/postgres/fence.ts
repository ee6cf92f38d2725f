import { randomUUID } from 'node:crypto';
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
import { readOnlyHere } from './fence-readers.ts';
import { closeRoles, openRoles } from './fence-roles.ts';

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
      ...(admitted ? [readOnlyHere(client, name, false)] : []),
    ]);
    await client.query([...opening, 'DELETE FROM verdigris.fenced_role'].join(';'));
    if (!everybody) await reopenByRights(client);
  });
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
