import { operatorRole, ownRoles } from '../model/names.ts';
import { waitFor } from '../model/wait.ts';
import { rows, withTransaction, type Client } from './client.ts';
import { closeByRights, openByRights, requireClosed } from './fence-by-rights.ts';
import { ident } from './quote.ts';
import { takeToken } from './token.ts';

/** Roles that a fence leaves their LOGIN: nobody else has their credentials. */
const ours = ownRoles;

/** `accept`: of an operator who closes by his rights; else the roles that run the server, which a superuser leaves. */
export type LeftWithLogin = { readonly accept: readonly string[] } | readonly string[];

/** Roles that can log in, and are not left open. */
export async function openRoles(client: Client, left: LeftWithLogin): Promise<string[]> {
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
export async function closeRoles(
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
