import type { Lsn } from '../../model/lsn.ts';
import { waitFor } from '../../model/wait.ts';
import { one, rows, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { ident, literal } from '../quote.ts';
import { quietly } from '../secretly.ts';
import { isSynchronous } from '../standbys.ts';
import { handToApplier, takeBackApply } from './applier.ts';
import { beginSlotAt } from './slot.ts';
import { ensureApplies, sourceOf } from './source.ts';

/** The first major that counts errors of apply, and can be told to stop at one. */
const disabling = 15;

/** The first major that knows slots which standbys carry. */
const carrying = 17;

/**
 * Makes the subscription, disabled and attached to a slot that exists; `conninfo` without dbname and user. `carried`:
 * standbys of the publisher carry its slots (`carriesSlots`).
 */
export async function subscribe(
  subscriber: Client,
  name: string,
  conninfo: string,
  database: string,
  carried = false,
): Promise<void> {
  const present = await rows(subscriber, 'SELECT FROM pg_subscription WHERE subname = $1', [name]);
  if (present.length > 0) return handToApplier(subscriber, name);
  await ensureApplies(subscriber);
  const source = sourceOf(name, conninfo, database);
  // A conflict is met again and again until somebody acts, and nothing is skipped. disable_on_error would also stop for
  // good where the publisher merely restarted or the network was cut: the server counts a lost connection as an error
  // of apply (seen). Only one direction is ever subscribed at a time, so that nothing loops without origin = none; with
  // it, from PostgreSQL 16 on, what an application writes under an origin of its own (a loader, a follower) would not
  // be sent.
  const major = await majorOf(subscriber);
  const onError = major < disabling ? '' : ', disable_on_error = false';
  // Without this word CREATE SUBSCRIPTION takes the slot's property away; an older one leaves it, and has no such word.
  const outlives = carried && major >= carrying ? ', failover = true' : '';
  // What is confirmed to the publisher is not sent again: it must not be lost with this server's disk.
  const durable = (await isSynchronous(subscriber)) ? ', synchronous_commit = on' : '';
  const make = () =>
    subscriber.query(`CREATE SUBSCRIPTION ${ident(name)} CONNECTION ${literal(source)} PUBLICATION ${ident(name)}
    WITH (copy_data = false, create_slot = false, enabled = false, slot_name = ${literal(name)}${onError}${outlives}${durable})`);
  await quietly(subscriber, async () => void (await make()));
  await handToApplier(subscriber, name);
}

/**
 * Tells a subscription that is disabled where to begin: transactions that committed before `position` are there
 * already. A role that may not say so has the slot begin there: a publisher that crashes forgets how far a slot was
 * advanced, unless a checkpoint came after it.
 */
export async function startAt(publisher: Client, subscriber: Client, name: string, position: Lsn): Promise<void> {
  const { may } = await one<{ may: boolean }>(
    subscriber,
    "SELECT has_function_privilege('pg_replication_origin_advance(text, pg_lsn)', 'EXECUTE') AS may",
  );
  if (!may) {
    const waiting = await readSubscription(subscriber, name);
    if (waiting && !waiting.enabled) await beginSlotAt(publisher, name, position);
    return;
  }
  await subscriber.query(
    `SELECT pg_replication_origin_advance('pg_' || oid, $2::pg_lsn) FROM pg_subscription WHERE subname = $1 AND NOT subenabled`,
    [name, position],
  );
}

export async function enableStream(subscriber: Client, name: string): Promise<void> {
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} ENABLE`);
}

/**
 * Stops a subscription that may be there, and waits until its worker has gone: nothing is applied after this returns.
 */
export async function suspend(subscriber: Client, name: string, limit: number, signal: AbortSignal): Promise<void> {
  if (!(await readSubscription(subscriber, name))) return;
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} DISABLE`);
  await waitFor(
    async () => {
      // One that waits for a lock does not see that it was disabled; disabled, it is not started again.
      const ended = await rows(
        subscriber,
        'SELECT pg_terminate_backend(pid) FROM pg_stat_subscription WHERE subname = $1 AND pid IS NOT NULL',
        [name],
      );
      return ended.length === 0 ? true : undefined;
    },
    {
      limit,
      signal,
      every: 5,
      what: `the end of the worker of ${name}`,
      next: 'see pg_stat_subscription on the retained colour.',
    },
  );
}

/** Undoes `suspend`. One that had stopped because of an error meets the error again. */
export async function unsuspend(subscriber: Client, name: string): Promise<void> {
  if (await readSubscription(subscriber, name)) await enableStream(subscriber, name);
}

export interface Subscription {
  readonly enabled: boolean;
  /** A worker is connected or connecting. */
  readonly working: boolean;
  /**
   * Errors met while applying, and on PostgreSQL 18 conflicts, since the subscription was made. Before 15 none is
   * counted.
   */
  readonly errors: number;
}

export async function readSubscription(subscriber: Client, name: string): Promise<Subscription | undefined> {
  const counted =
    (await majorOf(subscriber)) < disabling
      ? 'NULL'
      : '(SELECT st.apply_error_count + st.sync_error_count FROM pg_stat_subscription_stats st WHERE st.subid = s.oid)';
  const [found] = await rows<Subscription>(
    subscriber,
    `
    SELECT s.subenabled AS enabled, EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subid = s.oid AND w.pid IS NOT NULL) AS working,
      coalesce(${counted}, 0)::int AS errors
    FROM pg_subscription s WHERE s.subname = $1`,
    [name],
  );
  return found;
}

/** Names of the subscriptions to this database that begin with `prefix`. */
export async function subscriptionsBelow(subscriber: Client, prefix: string): Promise<string[]> {
  const found = await rows<{ name: string }>(
    subscriber,
    `SELECT subname AS name FROM pg_subscription WHERE starts_with(subname, $1)
      AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`,
    [prefix],
  );
  return found.map(({ name }) => name);
}

/** Drops the subscription without asking its publisher, which may be gone. */
export async function unsubscribe(subscriber: Client, name: string): Promise<void> {
  const found = await readSubscription(subscriber, name);
  if (!found) return;
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} DISABLE`);
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} SET (slot_name = NONE)`);
  await subscriber.query(`DROP SUBSCRIPTION ${ident(name)}`);
  await takeBackApply(subscriber);
}
