import { VerdigrisError } from '../../model/errors.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';

/**
 * Keeps the live server's log for a copy while `use` makes one, by a physical slot that is temporary: PostgreSQL itself
 * drops it with this session, however the process ends, so that a rehearsal that was killed cannot fill the live disk.
 * After `limit` milliseconds it is given up even where the copy goes on, and the copy is of no use.
 */
export async function withCopySlot<T>(
  live: ConnectionSettings,
  limit: number,
  signal: AbortSignal,
  use: () => Promise<T>,
  discard: (made: T) => Promise<void>,
): Promise<T> {
  return withOwnSession(live, 'rehearse', async (client) => {
    const name = `verdigris_rehearsal_${process.pid}_${Date.now()}`;
    // Reserved now, so older than the copy. A physical slot waits for nobody's transaction.
    await client.query('SELECT pg_create_physical_replication_slot($1, true, true)', [name]);
    const drop = (): Promise<unknown> =>
      client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [name]);
    let overdue = false;
    const limiter = setTimeout(() => {
      overdue = true;
      void drop().catch(() => undefined);
    }, limit);
    try {
      const made = await use();
      if (!overdue && !signal.aborted) return made;
      await discard(made);
      signal.throwIfAborted();
      throw new VerdigrisError('rehearsal-copy-limit', {
        seen: `The copy of the live database took longer than ${limit} ms; its slot was dropped then, so that the live disk does not fill.`,
        required: 'a copy within limits.snapshot.',
        next: 'raise limits.snapshot, or rehearse when the storage is less busy; nothing was left behind.',
      });
    } finally {
      clearTimeout(limiter);
      await drop().catch(() => undefined);
    }
  });
}
