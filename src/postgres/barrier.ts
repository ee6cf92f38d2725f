import type { Lsn } from '../model/lsn.ts';
import { lsnBytes } from '../model/lsn.ts';
import { waitFor } from '../model/wait.ts';
import { one, rows, type Client } from './client.ts';

/**
 * Proves that everything the publisher committed until now is on the subscriber: a marker row, L = the position after it, the
 * marker seen on the subscriber, and the slot confirmed up to L. Lag figures prove nothing: they leave out what was not sent.
 * Returns L. With `seal` the marker is that number, in a row of its own: written when nobody can write to the publisher any more,
 * its arrival alone proves that the subscriber lacks nothing, even where the publisher cannot be asked again (`isSealed`).
 */
export async function barrier(publisher: Client, subscriber: Client, stream: string, limit: number, signal?: AbortSignal, seal?: number): Promise<Lsn> {
  const row = seal === undefined ? stream : sealOf(stream);
  const { marker } = await one<{ marker: string }>(publisher, `
    INSERT INTO verdigris.barrier AS b (stream, marker) VALUES ($1, coalesce($2::bigint, 1))
    ON CONFLICT (stream) DO UPDATE SET marker = coalesce($2::bigint, b.marker + 1), at = clock_timestamp() RETURNING marker::text`, [row, seal]);
  const { lsn } = await one<{ lsn: Lsn }>(publisher, 'SELECT pg_current_wal_lsn()::text AS lsn');
  let state = '';
  const wait = { limit, signal, every: 1, slowest: 4, next: 'see whether the subscription works: `verdigris status`.' };
  await waitFor(async () => {
    const seen = await markerOf(subscriber, row);
    state = `marker ${seen ?? 'none'} of ${marker}`;
    return seen !== undefined && BigInt(seen) >= BigInt(marker) ? true : undefined;
  }, { ...wait, what: 'the barrier marker on the other colour' }, () => state);
  await waitFor(async () => {
    const [slot] = await rows<{ confirmed: Lsn | null }>(publisher, 'SELECT confirmed_flush_lsn::text AS confirmed FROM pg_replication_slots WHERE slot_name = $1', [stream]);
    state = `confirmed ${slot?.confirmed ?? 'nothing'}, needed ${lsn}`;
    return slot?.confirmed && lsnBytes(slot.confirmed) >= lsnBytes(lsn) ? true : undefined;
  }, { ...wait, what: 'the slot confirmed beyond the barrier' }, () => state);
  return lsn;
}

/** Whether the marker of exactly this seal has arrived: transactions are applied in the order of their commits, so all before it have. */
export async function isSealed(subscriber: Client, stream: string, seal: number): Promise<boolean> {
  return (await markerOf(subscriber, sealOf(stream))) === String(seal);
}

/** The row that a seal stands in. */
export function sealOf(stream: string): string {
  return `${stream} sealed`;
}

async function markerOf(client: Client, row: string): Promise<string | undefined> {
  const [found] = await rows<{ marker: string }>(client, 'SELECT marker::text FROM verdigris.barrier WHERE stream = $1', [row]);
  return found?.marker;
}
