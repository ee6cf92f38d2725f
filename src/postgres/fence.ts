import { operatorRole, replicationRole } from '../model/names.ts';
import { VerdigrisError } from '../model/errors.ts';
import { waitFor } from '../model/wait.ts';
import { rows, withTransaction, type Client } from './client.ts';
import { ident } from './quote.ts';

/** Roles that a fence lets through: by role, because nobody else has their credentials; everything else is named by backend. */
const ours = [operatorRole, replicationRole];

/**
 * Closes a colour to everybody but Verdigris: every other role that can log in, superusers too, is set NOLOGIN, remembered in
 * verdigris.fenced_role, and its sessions are ended. Returns when no foreign session is left. In one transaction with the
 * check of the fencing token, so that an operator who slept through his successor's work cannot fence what that one opened.
 */
export async function fenceServer(
  client: Client,
  token: number,
  limit: number,
  except: readonly string[] = [],
): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    await client.query(
      `INSERT INTO verdigris.fenced_role (name) SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> ALL ($1) ON CONFLICT DO NOTHING`,
      [ours],
    );
    const closed = await rows<{ name: string }>(
      client,
      'SELECT f.name FROM verdigris.fenced_role f JOIN pg_roles r ON r.rolname = f.name WHERE r.rolcanlogin AND f.name <> ALL ($1)',
      [except],
    );
    if (closed.length > 0) await client.query(closed.map(({ name }) => `ALTER ROLE ${ident(name)} NOLOGIN`).join(';'));
  });
  await endLogins(client, limit);
  await endSessions(client, token, limit, except);
}

/** Opens what `fence` closed, exactly. */
export async function unfence(client: Client, token: number): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    const closed = await rows<{ name: string; admitted: boolean }>(
      client,
      'SELECT f.name, f.admitted FROM verdigris.fenced_role f JOIN pg_roles r ON r.rolname = f.name',
    );
    for (const { name, admitted } of closed)
      await client.query(`ALTER ROLE ${ident(name)} LOGIN${admitted ? `; ${readOnly(client, name, false)}` : ''}`);
    await client.query('DELETE FROM verdigris.fenced_role');
  });
}

/** Lets roles that can only read in again, with read-only as their default, on a colour that stays fenced to all others. */
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
  });
}

/** In this database only: a setting of the role that the user made for all databases stays as it was. */
function readOnly(client: Client, role: string, on: boolean): string {
  return `ALTER ROLE ${ident(role)} IN DATABASE ${ident(client.database ?? '')} ${on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only'}`;
}

/** Names of the roles that a fence keeps out of this colour. */
export async function fencedRoles(client: Client): Promise<string[]> {
  return (await rows<{ name: string }>(client, 'SELECT name FROM verdigris.fenced_role ORDER BY name')).map(
    ({ name }) => name,
  );
}

/** Milliseconds that a login under way has to become a session, which is judged by its role; autovacuum's workers log in too. */
const loginPatience = 100;

/**
 * A login whose role was checked just before the fence is not in pg_stat_activity yet, but its transaction is in pg_locks: it began
 * before the check (InitPostgres in postinit.c). Whoever comes later meets NOLOGIN, so those of the first look are all there are.
 */
async function endLogins(client: Client, limit: number): Promise<void> {
  const underWay = () =>
    rows<{ pid: number }>(
      client,
      "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'virtualxid' AND pid IS NOT NULL AND pid NOT IN (SELECT pid FROM pg_stat_activity)",
    );
  const before = new Set((await underWay()).map(({ pid }) => pid));
  const begun = performance.now();
  let left: number[] = [];
  if (before.size > 0) {
    await waitFor(
      async () => {
        left = (await underWay()).flatMap(({ pid }) => (before.has(pid) ? [pid] : []));
        if (left.length > 0 && performance.now() - begun > loginPatience)
          await client.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [left]);
        return left.length === 0 ? true : undefined;
      },
      {
        limit,
        every: 1,
        slowest: 4,
        id: 'fence-leaks',
        what: 'no login that began before the fence',
        next: 'find out who connects past the fence, and stop it.',
      },
      () => `still there: process ${left.join(', ')}`,
    );
  }
}

interface Session {
  readonly pid: number;
  readonly who: string;
}

/** Ends nobody any more once the database has seen a newer token: its holder may have let them in again. */
async function endSessions(client: Client, token: number, limit: number, except: readonly string[]): Promise<void> {
  let left: Session[] = [];
  await waitFor(
    async () => {
      left = await rows<Session>(
        client,
        `
        SELECT pid, usename || ' (pid ' || pid || ', ' || coalesce(nullif(application_name, ''), 'no application_name') || ')' AS who
        FROM pg_stat_activity, LATERAL (SELECT pg_terminate_backend(pid) WHERE (SELECT token FROM verdigris.fence) <= $2) ended
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> ALL ($1)`,
        [[...ours, ...except], token],
      );
      return left.length === 0 ? true : undefined;
    },
    {
      limit,
      every: 1,
      slowest: 4,
      id: 'fence-leaks',
      what: 'no session but those of Verdigris',
      next: 'find out who connects past the fence, and stop it.',
    },
    () => `still there: ${left.map(({ who }) => who).join(', ')}`,
  );
}

async function takeToken(client: Client, token: number): Promise<void> {
  const { rowCount } = await client.query('UPDATE verdigris.fence SET token = $1 WHERE token <= $1', [token]);
  if (rowCount === 1) return;
  throw new VerdigrisError('busy', 'stale-token', {
    seen: `This process holds token ${token}; the database has seen a newer one.`,
    required: 'the newest lease.',
    next: 'nothing: somebody else continued this work.',
  });
}

/** Cuts the connections of every other operator, one that sleeps and may wake among them; waits until they are gone, 5 s at most. */
export async function endOperators(client: Client): Promise<void> {
  await client.query(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1 AND application_name = 'verdigris/operator' AND pid <> pg_backend_pid()",
    [operatorRole],
  );
}
