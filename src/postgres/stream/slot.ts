import { VerdigrisError } from '../../model/errors.ts';
import { lsnBytes, type Lsn } from '../../model/lsn.ts';
import { waitFor } from '../../model/wait.ts';
import { rows, type Client } from '../client.ts';
import { carriesSlots } from '../standbys.ts';

export interface Slot {
  /** C: the subscriber gets what commits after it. */
  readonly confirmed: Lsn;
  readonly active: boolean;
  /**
   * `reserved`, `extended`, `unreserved`, or `lost`: then the subscriber can never catch up. Null while the slot is
   * being made. Before PostgreSQL 13 none is lost.
   */
  readonly walStatus: string | null;
  /** WAL in bytes that the slot keeps on the publisher's disk. */
  readonly retained: number;
  /** Bytes of WAL that the subscriber has not confirmed. */
  readonly behind: number;
  /** Standbys carry it, and it waits for them: it outlives a failover. */
  readonly carried: boolean;
}

export async function readSlot(publisher: Client, name: string): Promise<Slot | undefined> {
  const [slot] = await rows<Slot>(
    publisher,
    `
    SELECT confirmed_flush_lsn::text AS confirmed, active, coalesce((to_jsonb(s)->>'failover')::bool
        AND current_setting('synchronized_standby_slots', true) <> '', false) AS carried,
      CASE WHEN to_jsonb(s) ? 'wal_status' THEN to_jsonb(s)->>'wal_status' ELSE 'reserved' END AS "walStatus",
      coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8 AS retained,
      coalesce(greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0), 0)::float8 AS behind
    FROM pg_replication_slots s WHERE slot_name = $1`,
    [name],
  );
  return slot;
}

/**
 * Makes the logical slot and returns C. Waits for transactions that are running, `limit` ms at most; a half-made slot
 * is dropped by PostgreSQL itself when the statement is cancelled. One that exists already is taken as it is.
 */
export async function createSlot(publisher: Client, name: string, limit: number): Promise<Lsn> {
  const present = await readSlot(publisher, name);
  if (present) return present.confirmed;
  // It waits for each transaction by a lock: one limit, not two.
  await publisher.query(`SET statement_timeout = ${Math.ceil(limit)}; SET lock_timeout = 0`);
  try {
    const outlives = (await carriesSlots(publisher)) ? ', false, false, true' : '';
    await publisher.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput'${outlives})`, [name]);
  } catch (cause) {
    if ((cause as { code?: string }).code !== '57014') throw cause;
    throw await slotTimeout(publisher, limit, cause);
  } finally {
    await publisher.query('RESET statement_timeout; RESET lock_timeout');
  }
  return (await readSlot(publisher, name))?.confirmed ?? never(name);
}

export async function beginSlotAt(publisher: Client, name: string, position: Lsn): Promise<void> {
  const slot = await readSlot(publisher, name);
  if (!slot) return;
  if (lsnBytes(slot.confirmed) < lsnBytes(position))
    await publisher.query('SELECT pg_replication_slot_advance($1, $2::pg_lsn)', [name, position]);
  // Where it is there already, it may be in memory alone.
  await publisher.query('CHECKPOINT');
}

/** Names the transactions that a slot waits for. */
export async function slotTimeout(publisher: Client, limit: number, cause?: unknown): Promise<VerdigrisError> {
  const blockers = await rows<{ who: string }>(
    publisher,
    `
    SELECT usename || ' (pid ' || pid || ', since ' || xact_start::timestamptz(0) || ', ' || state || ')' AS who FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 10`,
  );
  return new VerdigrisError('slot-timeout', {
    seen:
      `The slot could not be created within ${limit} ms: it waits for transactions that are running: ` +
      `${blockers.map(({ who }) => who).join(', ') || 'none now'}.`,
    required: 'these to end within limits.slotCreation.',
    next: 'wait for them or end them (pg_terminate_backend), then run the same command again; nothing was changed.',
    cause,
  });
}

/** Process of the publisher that sends by a slot; undefined while nobody is connected. */
export async function senderOf(publisher: Client, slot: string): Promise<number | undefined> {
  const [found] = await rows<{ pid: number | null }>(
    publisher,
    'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return found?.pid ?? undefined;
}

/**
 * Runs `use`, which needs the slot for itself, as reading or advancing it does. Whoever else has it (a preview that reads
 * a long log) is ended, or waited for where `waits` is set.
 */
export function withSlot<T extends object>(
  publisher: Client,
  name: string,
  waits: boolean,
  use: () => Promise<T>,
): Promise<T> {
  const free = async (error: { code?: string }): Promise<undefined> => {
    if (error.code !== inUse) throw error;
    if (!waits) await endUser(publisher, name);
  };
  return waitFor(() => use().catch(free), {
    limit: 30_000,
    every: 5,
    what: `the slot ${name} free to be read`,
    next: 'see who uses it in pg_replication_slots (active_pid).',
  });
}

/** SQLSTATE object_in_use. */
const inUse = '55006';

async function endUser(publisher: Client, name: string): Promise<void> {
  await publisher.query(
    'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL',
    [name],
  );
}

export async function dropSlot(publisher: Client, name: string): Promise<void> {
  await waitFor(
    async () => {
      const gone = await rows<{ active: number | null }>(
        publisher,
        'SELECT active_pid AS active FROM pg_replication_slots WHERE slot_name = $1',
        [name],
      );
      if (gone.length === 0) return true;
      await endUser(publisher, name)
        .then(() =>
          publisher.query(
            'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NULL',
            [name],
          ),
        )
        .catch((error: { code?: string }) => {
          // Somebody took it between the two statements; 42704: it is gone.
          if (error.code !== inUse && error.code !== '42704') throw error;
        });
      return undefined;
    },
    { limit: 30_000, every: 5, what: `the slot ${name} dropped`, next: 'see who uses it in pg_replication_slots.' },
  );
}

function never(name: string): never {
  throw new Error(`the slot ${name} was made and is not there`);
}
