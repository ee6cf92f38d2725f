import type { Lsn } from '../../model/lsn.ts';
import type { Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession, withReplicationSession } from '../session.ts';
import { ident } from '../quote.ts';
import { carriesSlots } from '../standbys.ts';
import { dropSlot, slotTimeout } from '../stream/slot.ts';

export interface ExportedSlot {
  /** For SET TRANSACTION SNAPSHOT and pg_dump: exactly what is not in the slot. */
  readonly snapshot: string;
  /** C: the slot gives what commits after it. */
  readonly position: Lsn;
}

/**
 * Makes the slot and keeps its snapshot for the length of `use`: the live server cannot vacuum past it meanwhile. A
 * slot of this name is of an attempt whose snapshot is gone, and is dropped first. Should `use` fail, the slot stays
 * for the next attempt to drop, or for unpublish.
 * @throws VerdigrisError `slot-timeout` where transactions that are running do not end within `limit` ms.
 */
export async function withExportedSlot<T>(
  live: ConnectionSettings,
  name: string,
  limit: number,
  use: (slot: ExportedSlot) => Promise<T>,
): Promise<T> {
  return withOwnSession(live, 'seed', async (watcher) => {
    await dropSlot(watcher, name);
    return withReplicationSession(live, 'seed', async (walsender) =>
      use(await makeSlot(watcher, walsender, name, limit)),
    );
  });
}

/** No timeout of the server's holds for a replication command: its process is ended, and with it what was half made. */
async function makeSlot(watcher: Client, walsender: Client, name: string, limit: number): Promise<ExportedSlot> {
  const { pid } = (await walsender.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0] as { pid: number };
  const how = (await carriesSlots(watcher)) ? "(SNAPSHOT 'export', FAILOVER)" : 'EXPORT_SNAPSHOT';
  let late: Promise<unknown> | undefined;
  const timer = setTimeout(() => {
    late = slotTimeout(watcher, limit).then(async (error) => {
      await watcher.query('SELECT pg_terminate_backend($1)', [pid]);
      return error;
    });
    late.catch(() => undefined);
  }, limit);
  try {
    const made = await walsender.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${ident(name)} LOGICAL pgoutput ${how}`,
    );
    const [slot] = made.rows;
    if (!slot) throw new Error(`the slot ${name} was made and says nothing of itself`);
    return { snapshot: slot.snapshot_name, position: slot.consistent_point };
  } catch (cause) {
    if (late === undefined) throw cause;
    throw await late;
  } finally {
    clearTimeout(timer);
  }
}
