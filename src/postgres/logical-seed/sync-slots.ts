import { one, rows, type Client } from '../client.ts';
import { dropSlot } from '../stream/slot.ts';

/**
 * Pattern of the slots that PostgreSQL makes on the publisher for a subscription's tables while it synchronises them:
 * `pg_<subscription>_sync_<table>_<system identifier of the subscriber>`.
 */
export async function syncSlotsOf(subscriber: Client, stream: string): Promise<string> {
  const { pattern } = await one<{ pattern: string }>(
    subscriber,
    `SELECT format('^pg_%s_sync_[0-9]+_%s$', s.oid, (SELECT system_identifier FROM pg_control_system())) AS pattern
    FROM pg_subscription s WHERE s.subname = $1`,
    [stream],
  );
  return pattern;
}

/** A subscriber that ended in the middle leaves them: each would keep the publisher's log for ever. */
export async function dropSyncSlots(publisher: Client, pattern: string): Promise<void> {
  const left = await rows<{ name: string }>(
    publisher,
    'SELECT slot_name AS name FROM pg_replication_slots WHERE slot_name ~ $1 AND database = current_database()',
    [pattern],
  );
  for (const { name } of left) await dropSlot(publisher, name);
}
