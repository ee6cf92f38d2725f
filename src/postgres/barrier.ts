import { VerdigrisError } from '../model/errors.ts';
import type { Lsn } from '../model/lsn.ts';
import { waitFor } from '../model/wait.ts';
import { one, rows, type Client } from './client.ts';
import { passes } from './apply-error.ts';
import { readSlot, type Slot } from './stream/slot.ts';
import { readSubscription, type Subscription } from './stream/subscription.ts';
import { sealOf } from './stream/publication.ts';

/**
 * Proves that everything the publisher committed until now is on the subscriber: a marker row, L = the position after
 * it, the marker seen on the subscriber, and there on disk. Lag figures prove nothing: they leave out what was not sent.
 * Returns L. With `seal` the marker is that number, in a row of its own: written when nobody can write to
 * the publisher any more, its arrival alone proves that the subscriber lacks nothing, even where the publisher cannot
 * be asked again (`isSealed`).
 * `applyError` tells why a change could not be applied, where the server's log can be read.
 * @throws VerdigrisError `publisher-went-back` where the subscriber has a marker that the publisher only writes now;
 * `slot-lost`, `slot-missing` or `apply-failed` as soon as the marker can never arrive;
 * `timed-out` after `limit` ms.
 */
export async function crossBarrier(
  publisher: Client,
  subscriber: Client,
  stream: string,
  limit: number,
  signal?: AbortSignal,
  seal?: number,
  applyError?: () => Promise<string | undefined> | undefined,
): Promise<Lsn> {
  const row = seal === undefined ? stream : sealOf(stream);
  const known = readSubscription(subscriber, stream);
  known.catch(() => undefined);
  const before = seal === undefined ? await markerOf(subscriber, row) : undefined;
  const { marker } = await one<{ marker: string }>(
    publisher,
    `
    INSERT INTO verdigris.barrier AS b (stream, marker) VALUES ($1, coalesce($2::bigint, 1))
    ON CONFLICT (stream) DO UPDATE SET marker = coalesce($2::bigint, b.marker + 1), at = clock_timestamp() RETURNING marker::text`,
    [row, seal],
  );
  // Seals are numbered by a clock that may be set back, so that an earlier one may be higher.
  const proves = (seen: string): boolean => (seal === undefined ? BigInt(seen) >= BigInt(marker) : seen === marker);
  if (before !== undefined && proves(before)) throw wentBack(stream, before, marker);
  const { lsn } = await one<{ lsn: Lsn }>(publisher, 'SELECT pg_current_wal_lsn()::text AS lsn');
  let state = '';
  const errors = (await known)?.errors ?? 0;
  let failing = '';
  let look = performance.now() + slotEvery;
  await waitFor(
    async () => {
      const seen = await markerOf(subscriber, row);
      state = `marker ${seen ?? 'none'} of ${marker}`;
      if (seen !== undefined && proves(seen)) return true;
      if (performance.now() < look) return undefined;
      look = performance.now() + slotEvery;
      // A publisher that cannot be asked has sent what it had, or comes back: no reason to stop waiting.
      const asked = await readSlot(publisher, stream).then(
        (slot) => ({ slot }),
        () => undefined,
      );
      if (asked) requireSlot(stream, asked.slot);
      const now = await readSubscription(subscriber, stream);
      if (now && now.errors > errors) failing = requireApply(stream, now, errors, await applyError?.());
      return undefined;
    },
    {
      limit,
      signal,
      every: 1,
      slowest: 4,
      what: 'the barrier marker on the other colour',
      next: 'see whether the subscription works: `verdigris status`.',
    },
    () => `${state}${failing}`,
  );
  await flush(subscriber, row);
  return lsn;
}

/**
 * Apply does not wait for the disk: what it committed is seen at once, and on disk when the WAL writer comes
 * (wal_writer_delay). A session of ours waits (synchronous_commit): its commit is on disk with all that came before it.
 * A row that is locked is in the log, and no subscriber hears of it.
 */
async function flush(subscriber: Client, row: string): Promise<void> {
  await subscriber.query('SELECT FROM verdigris.barrier WHERE stream = $1 FOR UPDATE', [row]);
}

/**
 * Whether the marker of exactly this seal has arrived: transactions are applied in the order of their commits, so all
 * before it have.
 */
export async function isSealed(subscriber: Client, stream: string, seal: number): Promise<boolean> {
  return (await markerOf(subscriber, sealOf(stream))) === String(seal);
}

/** Markers rise on the publisher alone, so that it lost what the subscriber has of it. */
function wentBack(stream: string, seen: string, marker: string): VerdigrisError {
  return new VerdigrisError('publisher-went-back', {
    seen: `The marker ${marker} of ${stream} is on the other colour before it was written: there it is ${seen} already.`,
    required: 'a server that still has all that it sent: this one was put back to an earlier state.',
    next:
      'before the switchover: `verdigris abandon`, then seed again. After it: the retained colour may have rows that the ' +
      'live one lost; look there first (`verdigris psql`), then `verdigris retire`.',
    facts: { stream, seen, marker },
  });
}

/** Milliseconds between two looks at the slot while the marker is waited for. */
const slotEvery = 1_000;

/** What a slot lost, or was dropped with, never arrives: waiting on would only take the time. */
function requireSlot(name: string, slot: Slot | undefined): Slot {
  const lost = slot !== undefined && (slot.walStatus ?? 'lost') === 'lost';
  if (slot && !lost) return slot;
  throw new VerdigrisError(lost ? 'slot-lost' : 'slot-missing', {
    seen: lost
      ? `The slot ${name} was invalidated: the other colour fell behind by more WAL than limits.retainedWal.`
      : `The slot ${name} is gone.`,
    required: 'a slot that keeps what the other colour has still to read.',
    next:
      'a candidate: abandon it and seed again (`verdigris abandon`), with a larger limits.retainedWal where ' +
      'it was lost; a retained colour: `verdigris rollback --help`.',
  });
}

/** What cannot be applied is tried again every few seconds, and fails again. */
function requireApply(name: string, now: Subscription, before: number, error: string | undefined): string {
  const text = error ?? 'the log of that server says why';
  const again = now.errors - before > 1;
  if (now.enabled && (error === undefined ? !again : passes(error)))
    return `, apply met ${now.errors - before} errors: ${text}`;
  throw new VerdigrisError('apply-failed', {
    seen: `A change cannot be applied by the subscription ${name}: ${text}`,
    required: 'every change applied: nothing is skipped, so everything after this one waits.',
    next: [
      'if you know why the row on that side is wrong, fix it there: apply then continues by itself.',
      'Otherwise abandon a candidate (`verdigris abandon`) and seed again; for a retained colour see `verdigris rollback --help`.',
    ].join(' '),
    facts: { subscription: name, errors: now.errors - before, error },
  });
}

/** The last marker that is there, of a stream or of its seal. */
/**
 * Gives a publisher whose markers are lost those that its subscriber has. Before their table is published again: they
 * are not sent.
 */
export async function takeMarkers(subscriber: Client, publisher: Client, stream: string): Promise<void> {
  for (const row of [stream, sealOf(stream)]) {
    const marker = await markerOf(subscriber, row);
    if (marker === undefined) continue;
    await publisher.query(
      'INSERT INTO verdigris.barrier (stream, marker) VALUES ($1, $2) ON CONFLICT (stream) DO UPDATE SET marker = excluded.marker',
      [row, marker],
    );
  }
}

export async function markerOf(client: Client, row: string): Promise<string | undefined> {
  const [found] = await rows<{ marker: string }>(
    client,
    'SELECT marker::text FROM verdigris.barrier WHERE stream = $1',
    [row],
  );
  return found?.marker;
}
