import type { Lsn } from '../model/lsn.ts';
import { lsnBytes } from '../model/lsn.ts';
import { waitFor } from '../model/wait.ts';
import { one, rows, type Client } from './client.ts';

/**
 * Proves that everything the publisher committed until now is on the subscriber: a marker row, L = the position after it, the
 * marker seen on the subscriber, and the slot confirmed up to L. Lag figures prove nothing: they leave out what was not sent.
 * Returns L.
 */
export async function barrier(publisher: Client, subscriber: Client, stream: string, limit: number, signal?: AbortSignal): Promise<Lsn> {
  const { marker } = await one<{ marker: string }>(publisher, `
    INSERT INTO verdigris.barrier AS b (stream, marker) VALUES ($1, 1)
    ON CONFLICT (stream) DO UPDATE SET marker = b.marker + 1, at = clock_timestamp() RETURNING marker::text`, [stream]);
  const { lsn } = await one<{ lsn: Lsn }>(publisher, 'SELECT pg_current_wal_lsn()::text AS lsn');
  let state = '';
  const wait = { limit, signal, every: 1, slowest: 4, next: 'see whether the subscription works: `verdigris status`.' };
  await waitFor(async () => {
    const [seen] = await rows<{ marker: string }>(subscriber, 'SELECT marker::text FROM verdigris.barrier WHERE stream = $1', [stream]);
    state = `marker ${seen?.marker ?? 'none'} of ${marker}`;
    return seen && BigInt(seen.marker) >= BigInt(marker) ? true : undefined;
  }, { ...wait, what: 'the barrier marker on the other colour' }, () => state);
  await waitFor(async () => {
    const [slot] = await rows<{ confirmed: Lsn | null }>(publisher, 'SELECT confirmed_flush_lsn::text AS confirmed FROM pg_replication_slots WHERE slot_name = $1', [stream]);
    state = `confirmed ${slot?.confirmed ?? 'nothing'}, needed ${lsn}`;
    return slot?.confirmed && lsnBytes(slot.confirmed) >= lsnBytes(lsn) ? true : undefined;
  }, { ...wait, what: 'the slot confirmed beyond the barrier' }, () => state);
  return lsn;
}
