import { operatorRole, replicationRole } from '../model/names.ts';
import { ofStream } from './fingerprint/scope.ts';
import { waitFor } from '../model/wait.ts';
import { rows, type Client } from './client.ts';
import { runsServer } from './instance-manager.ts';

const leak = {
  every: 1,
  slowest: 4,
  id: 'fence-leaks',
  next: 'find out who connects past the fence, and stop it.',
} as const;

/**
 * Milliseconds that a login under way has to become a session, which is judged by its role; autovacuum's workers log in
 * too.
 */
const loginPatience = 100;

/**
 * A login whose role was checked just before the fence is not in pg_stat_activity yet, but its transaction is in
 * pg_locks: it began before the check (InitPostgres in postinit.c). Whoever comes later meets NOLOGIN, so those of the
 * first look are all there are.
 */
export async function endLogins(client: Client, limit: number): Promise<void> {
  const underWay = () =>
    rows<{ pid: number }>(
      client,
      "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'virtualxid' AND pid IS NOT NULL AND pid NOT IN (SELECT pid FROM pg_stat_activity)",
    );
  const before = new Set((await underWay()).map(({ pid }) => pid));
  const begun = performance.now();
  let left: number[] = [];
  if (before.size === 0) return;
  await waitFor(
    async () => {
      left = (await underWay()).flatMap(({ pid }) => (before.has(pid) ? [pid] : []));
      if (left.length > 0 && performance.now() - begun > loginPatience)
        await client.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [left]);
      return left.length === 0 ? true : undefined;
    },
    { ...leak, limit, what: 'no login that began before the fence' },
    () => `still there: process ${left.join(', ')}`,
  );
}

interface Session {
  readonly pid: number;
  readonly who: string;
}

/**
 * Every process that is connected to a database can run SQL, whatever its type: walsenders of replication=database and
 * background workers too. Ours are named; autovacuum's run no SQL of anybody's. What has no database (a physical
 * standby's sender) runs none. The list is made first and ended then, or the planner may end a session before it asks
 * whose it is.
 */
const foreign = `
  WITH ours AS (
    SELECT w.pid FROM pg_stat_subscription w WHERE ${ofStream('w.subname')}),
  foreign_session AS MATERIALIZED (
    SELECT a.pid, a.usename, a.backend_type, a.application_name, a.client_addr, a.datname FROM pg_stat_activity a
    WHERE a.datid IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_type NOT IN ('autovacuum worker', 'slotsync worker')
      AND NOT coalesce(a.backend_type IN ('client backend', 'parallel worker') AND a.usename = '${operatorRole}', false)
      AND NOT coalesce(a.backend_type = 'walsender' AND a.usename = '${replicationRole}', false)
      AND NOT EXISTS (SELECT FROM ours WHERE ours.pid IN (a.pid, a.leader_pid)))`;

/**
 * Sessions of `accept` stay, for they cannot be ended; those of `managers` too as far as they run the server. Ends
 * nobody any more once the database has seen a newer token: its holder may have let them in again.
 */
export async function endSessions(
  client: Client,
  token: number,
  limit: number,
  accept: readonly string[] = [],
  managers: readonly string[] = [],
): Promise<void> {
  let left: Session[] = [];
  await waitFor(
    async () => {
      left = await rows<Session>(
        client,
        `${foreign}
        SELECT pid, format('%s (%s %s, %s)', coalesce(usename, 'a role that was dropped'), CASE backend_type WHEN
          'client backend' THEN 'pid' ELSE backend_type || ', pid' END, pid, coalesce(nullif(application_name, ''), 'no application_name')) AS who,
          CASE WHEN (SELECT token FROM verdigris.fence) <= $1 THEN pg_terminate_backend(pid) END AS ended
        FROM foreign_session WHERE (usename IS NULL OR usename <> ALL ($2)) AND NOT ${runsServer('$3')}`,
        [token, accept, managers],
      );
      return left.length === 0 ? true : undefined;
    },
    { ...leak, limit, what: 'no session but those of Verdigris' },
    () => `still there: ${left.map(({ who }) => who).join(', ')}`,
  );
}
