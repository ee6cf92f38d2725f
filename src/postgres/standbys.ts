import type { Lsn } from '../model/lsn.ts';
import { waitFor } from '../model/wait.ts';
import { one, rows, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { withOwnSession } from './session.ts';

/** Whether standbys of this server carry its logical slots, as its own settings say. PostgreSQL 17 on. */
export async function carriesSlots(client: Client): Promise<boolean> {
  const { carried } = await one<{ carried: boolean }>(
    client,
    "SELECT coalesce(current_setting('sync_replication_slots', true), 'off') = 'on' AS carried",
  );
  return carried;
}

/** Whether commits on this server wait for a standby. */
export async function isSynchronous(client: Client): Promise<boolean> {
  const { waits } = await one<{ waits: boolean }>(
    client,
    "SELECT current_setting('synchronous_standby_names') <> '' AS waits",
  );
  return waits;
}

/**
 * Waits until every standby carries the slot, so that it outlives a failover. One that is new is carried as soon as what
 * it needs lies behind what the standbys keep: an unused one is advanced for that (nothing is read by it yet), for one
 * in use the server writes down which transactions run. A slot of this name that a standby kept from when it was the
 * primary is dropped there: it would never be brought up to date.
 */
export async function untilCarried(
  publisher: Client,
  name: string,
  standbys: readonly ConnectionSettings[],
  { unused, limit, signal }: { readonly unused: boolean; readonly limit: number; readonly signal: AbortSignal },
): Promise<void> {
  if (standbys.length === 0 || !(await carriesSlots(publisher))) return;
  const nudge = unused
    ? 'SELECT pg_replication_slot_advance($1, pg_current_wal_flush_lsn()) FROM pg_log_standby_snapshot()'
    : 'SELECT pg_log_standby_snapshot() FROM pg_replication_slots WHERE slot_name = $1';
  let last = '';
  // An advance waits for the standbys, without a limit of its own.
  await publisher.query(`SET statement_timeout = ${Math.ceil(limit)}`);
  const carried = waitFor(
    async () => {
      await publisher.query(nudge, [name]);
      const seen = await Promise.all(standbys.map((standby) => lookAt(standby, name)));
      last = seen.map((state, index) => `${standbys[index]?.host ?? ''}: ${state}`).join(', ');
      return seen.every((state) => state === 'carried') ? true : undefined;
    },
    {
      limit,
      signal,
      every: 500,
      slowest: 500,
      id: 'slot-not-carried',
      what: `the slot ${name} on every standby`,
      next: 'see the log of the standbys (slot sync worker), and that all are there; then run the same command again.',
    },
    () => last,
  );
  try {
    await carried;
  } finally {
    await publisher.query('RESET statement_timeout').catch(() => undefined);
  }
}

async function lookAt(standby: ConnectionSettings, name: string): Promise<string> {
  return withOwnSession(standby, 'standby', async (client) => {
    await client.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE slot_name = $1 AND pg_is_in_recovery() AND NOT synced AND NOT active`,
      [name],
    );
    const [slot] = await rows<{ state: string }>(
      client,
      `SELECT CASE WHEN synced AND NOT temporary AND invalidation_reason IS NULL THEN 'carried'
        ELSE coalesce(invalidation_reason, 'not yet') END AS state FROM pg_replication_slots WHERE slot_name = $1`,
      [name],
    );
    return slot?.state ?? 'not there';
  }).catch((error: Error) => error.message);
}

/**
 * Waits until all that this server has written until now is on the disks of the standbys that carry its slots: a
 * failover right afterwards loses none of it.
 */
export async function untilFlushed(client: Client, limit: number, signal: AbortSignal): Promise<void> {
  const { position } = await one<{ position: Lsn }>(client, 'SELECT pg_current_wal_flush_lsn()::text AS position');
  let behind: string[] = [];
  await waitFor(
    async () => {
      behind = (
        await rows<{ name: string }>(
          client,
          `SELECT s.name FROM (SELECT trim(unnest(string_to_array(current_setting('synchronized_standby_slots', true), ','))) AS name) s
          LEFT JOIN pg_replication_slots r ON r.slot_name = s.name
          WHERE s.name NOT IN ('', '*') AND coalesce(r.restart_lsn < $1::pg_lsn, true)`,
          [position],
        )
      ).map(({ name }) => name);
      return behind.length === 0 ? true : undefined;
    },
    {
      limit,
      signal,
      every: 1,
      slowest: 8,
      id: 'standby-behind',
      what: `every standby at ${position}`,
      next: 'bring the standby back that is missing, then run the same command again; nothing was changed.',
    },
    () => `behind: ${behind.join(', ')}`,
  );
}
