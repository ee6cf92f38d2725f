import { one, type Client } from './client.ts';

/** As much as is used up in a minute; it also brings the next freeze of every table nearer. */
const most = 2_000_000;

/** In one statement: between two of them a wish to stop is heard. */
const atOnce = 100_000;

/**
 * Uses up transaction ids of `to` until it is `ahead` of `from`, so that software that stored some (an outbox that is
 * read in their order) meets higher ones there. A copy of a server goes on from where the original was, and by less:
 * what is taken back there is never sent. Returns by how many it is still behind, where that would take too long.
 */
export async function advanceTransactionIds(
  from: Client,
  to: Client,
  ahead: number,
  signal: AbortSignal,
  limit = most,
): Promise<number> {
  const missing = (await next(from)) + ahead - (await next(to));
  if (missing <= 0) return 0;
  if (missing > limit) return missing - ahead;
  for (let left = missing; left > 0; left -= atOnce) {
    signal.throwIfAborted();
    // What is taken back is waited for by nobody, and leaves no row.
    await to.query(
      `DO 'BEGIN FOR i IN 1..${Math.min(left, atOnce)} LOOP PERFORM pg_catalog.txid_current(); ROLLBACK; END LOOP; END'`,
    );
  }
  return 0;
}

async function next(client: Client): Promise<number> {
  const { id } = await one<{ id: string }>(client, 'SELECT txid_snapshot_xmax(txid_current_snapshot())::text AS id');
  return Number(id);
}
