import { lsnBytes, type Lsn } from '../model/lsn.ts';
import { replicationRole } from '../model/names.ts';
import { VerdigrisError } from '../model/errors.ts';
import { waitFor } from '../model/wait.ts';
import { one, rows, type Client } from './client.ts';
import { ident, literal } from './quote.ts';
import { quietly } from './secretly.ts';
import { isSuperuser } from './superuser.ts';
import { passwordClause } from './verifier.ts';
import { label, qualified, type Table } from './catalogue.ts';

/** What a publication carries of a table; `columns` undefined: all that PostgreSQL would. */
export interface PublishedTable {
  readonly table: Pick<Table, 'schema' | 'name'>;
  readonly columns?: readonly string[] | undefined;
}

/**
 * Makes the publication, or gives it just these tables. Partitions are published as their root, so that both sides may
 * split differently; where either side is older than PostgreSQL 13 each by itself, so that both sides must split alike.
 * @throws VerdigrisError `publisher-too-old` where only a part of a table's columns is to be published, which comes
 * with 15.
 */
export async function publish(
  publisher: Client,
  name: string,
  tables: readonly PublishedTable[],
  subscriber?: Client,
): Promise<void> {
  const all = [...(await asPublished(publisher, tables, subscriber)), { table: barrierTable }];
  if (await isPublished(publisher, name))
    await publisher.query(`ALTER PUBLICATION ${ident(name)} SET ${publishedList(all)}`);
  else
    await publisher.query(
      `CREATE PUBLICATION ${ident(name)} FOR ${publishedList(all)}${(await byRoot(publisher, subscriber)) ? ' WITH (publish_via_partition_root = true)' : ''}`,
    );
}

/** The first major that publishes partitions as their root. */
const asRoot = 13;
/** The first major that publishes a part of a table's columns. */
const columnLists = 15;
/** The first major that counts errors of apply, and can be told to stop at one. */
const disabling = 15;

/** A subscriber applies to a partitioned table from the same major on. */
async function byRoot(publisher: Client, subscriber: Client | undefined): Promise<boolean> {
  return (await majorOf(publisher)) >= asRoot && (subscriber === undefined || (await majorOf(subscriber)) >= asRoot);
}

/**
 * What a publisher is given for these tables, by its major and that of who subscribes. @throws VerdigrisError
 * `publisher-too-old`
 */
export async function asPublished(
  publisher: Client,
  tables: readonly PublishedTable[],
  subscriber?: Client,
): Promise<readonly PublishedTable[]> {
  const major = await majorOf(publisher);
  const cut = major < columnLists ? tables.filter(({ columns }) => columns !== undefined) : [];
  if (cut.length > 0) throw tooOld(major, cut);
  if (await byRoot(publisher, subscriber)) return tables;
  const leaves = await rows<{ root: string; schema: string; name: string }>(
    publisher,
    `SELECT format('%s.%s', rn.nspname, r.relname) AS root, n.nspname AS schema, c.relname AS name
    FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace CROSS JOIN LATERAL pg_partition_tree(r.oid) t
      JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.relkind = 'p' AND NOT r.relispartition AND t.isleaf AND c.relkind = 'r'`,
  );
  const roots = new Set(
    (
      await rows<{ root: string }>(
        publisher,
        "SELECT format('%s.%s', n.nspname, c.relname) AS root FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p'",
      )
    ).map(({ root }) => root),
  );
  return tables.flatMap((each) =>
    roots.has(label(each.table))
      ? leaves.filter(({ root }) => root === label(each.table)).map((table) => ({ table }))
      : [each],
  );
}

function tooOld(major: number, cut: readonly PublishedTable[]): VerdigrisError {
  const which = cut.map(({ table, columns = [] }) => `${label(table)} (${columns.join(', ')})`);
  return new VerdigrisError('publisher-too-old', {
    seen: `PostgreSQL ${major} publishes whole tables, and only these columns can be carried: ${which.join('; ')}.`,
    required: `tables with the same columns on both colours, as long as one that publishes is older than ${columnLists}.`,
    next: 'move to the newer major first, with the schema as it is; make this change of columns in the release after.',
    facts: { major, tables: cut.map(({ table }) => label(table)) },
  });
}

async function majorOf(client: Client): Promise<number> {
  const before = majors.get(client);
  if (before !== undefined) return before;
  const { major } = await one<{ major: number }>(
    client,
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  );
  majors.set(client, major);
  return major;
}

/** Asked once a session: clients wait. */
const majors = new WeakMap<Client, number>();

/** Makes the publication where there is none, with nothing of the user's in it yet. */
export async function startPublishing(publisher: Client, name: string): Promise<void> {
  if (!(await isPublished(publisher, name))) await publish(publisher, name, []);
}

/** Adds tables to those that are published; one that is there already stays. */
export async function publishMore(publisher: Client, name: string, tables: readonly PublishedTable[]): Promise<void> {
  const there = await rows<{ name: string }>(
    publisher,
    "SELECT format('%s %s', schemaname, tablename) AS name FROM pg_publication_tables WHERE pubname = $1",
    [name],
  );
  const all = await asPublished(publisher, tables);
  const missing = all.filter(({ table }) => !there.some((one) => one.name === `${table.schema} ${table.name}`));
  if (missing.length > 0) await publisher.query(`ALTER PUBLICATION ${ident(name)} ADD ${publishedList(missing)}`);
}

const barrierTable = { schema: 'verdigris', name: 'barrier' };

async function isPublished(publisher: Client, name: string): Promise<boolean> {
  return (await rows(publisher, 'SELECT FROM pg_publication WHERE pubname = $1', [name])).length > 0;
}

function publishedList(tables: readonly PublishedTable[]): string {
  const list = tables.map(
    ({ table, columns }) =>
      `${qualified(table)}${columns ? ` (${columns.map((column) => ident(column)).join(', ')})` : ''}`,
  );
  return `TABLE ${list.join(', ')}`;
}

/** The role that the other colour's subscription logs in with. */
export async function ensureReplicationRole(client: Client, password: string | undefined): Promise<void> {
  const present = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [replicationRole]);
  const secret = password === undefined ? '' : ` ${passwordClause(password)}`;
  if (present.length === 0) await client.query(`CREATE ROLE ${ident(replicationRole)} LOGIN REPLICATION${secret}`);
  // A copy of another environment's server has it closed, as every role that it came with.
  else await client.query(`ALTER ROLE ${ident(replicationRole)} LOGIN REPLICATION${secret}`);
}

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
}

export async function readSlot(publisher: Client, name: string): Promise<Slot | undefined> {
  const [slot] = await rows<Slot>(
    publisher,
    `
    SELECT confirmed_flush_lsn::text AS confirmed, active,
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
    await publisher.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  } catch (cause) {
    if ((cause as { code?: string }).code !== '57014') throw cause;
    throw await slotTimeout(publisher, limit, cause);
  } finally {
    await publisher.query('RESET statement_timeout; RESET lock_timeout');
  }
  return (await readSlot(publisher, name))?.confirmed ?? never(name);
}

/** Makes the subscription, disabled and attached to a slot that exists; `conninfo` without dbname and user. */
export async function subscribe(subscriber: Client, name: string, conninfo: string, database: string): Promise<void> {
  const present = await rows(subscriber, 'SELECT FROM pg_subscription WHERE subname = $1', [name]);
  if (present.length > 0) return;
  const source = sourceOf(name, conninfo, database);
  // A conflict is met again and again until somebody acts, and nothing is skipped. disable_on_error would also stop for
  // good where the publisher merely restarted or the network was cut: the server counts a lost connection as an error
  // of apply (seen). Only one direction is ever subscribed at a time, so that nothing loops without origin = none; with
  // it, from PostgreSQL 16 on, what an application writes under an origin of its own (a loader, a follower) would not
  // be sent.
  const onError = (await majorOf(subscriber)) < disabling ? '' : ', disable_on_error = false';
  const make = () =>
    subscriber.query(`CREATE SUBSCRIPTION ${ident(name)} CONNECTION ${literal(source)} PUBLICATION ${ident(name)}
    WITH (copy_data = false, create_slot = false, enabled = false, slot_name = ${literal(name)}${onError})`);
  await quietly(subscriber, async () => void (await make()));
}

function sourceOf(name: string, conninfo: string, database: string): string {
  return `${conninfo} dbname=${quoteConninfo(database)} user=${replicationRole} application_name=${name}`;
}

/**
 * Has a subscription that is there connect in another way, and goes on from where it is: its slot and its origin stay.
 * False where it does so already: then its worker is not started again.
 */
export async function changeSource(
  subscriber: Client,
  name: string,
  conninfo: string,
  database: string,
): Promise<boolean> {
  const source = sourceOf(name, conninfo, database);
  // Only a superuser may read what holds a password.
  const known = await isSuperuser(subscriber);
  const same = known ? 'subconninfo = $2' : '$2 IS NULL';
  const found = await one<{ same: boolean }>(
    subscriber,
    `SELECT ${same} AS same FROM pg_subscription WHERE subname = $1`,
    [name, source],
  );
  if (found.same) return false;
  await quietly(
    subscriber,
    async () => void (await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} CONNECTION ${literal(source)}`)),
  );
  return true;
}

/**
 * Connects from the server of `subscriber` as a subscription would, and leaves nothing: what is made is rolled back.
 * The publication does not exist, of which PostgreSQL only warns; so no table of anybody's is looked at.
 */
export async function tryStream(subscriber: Client, conninfo: string, database: string): Promise<void> {
  const none = 'verdigris_none';
  const source = `${conninfo} dbname=${quoteConninfo(database)} user=${replicationRole} connect_timeout=5 application_name=verdigris_trial`;
  const undone = new Error('rolled back');
  await quietly(subscriber, async () => {
    await subscriber.query(`CREATE SUBSCRIPTION ${ident(none)} CONNECTION ${literal(source)} PUBLICATION ${ident(none)}
      WITH (connect = true, copy_data = false, create_slot = false, enabled = false, slot_name = NONE)`);
    throw undone;
  }).catch((error: unknown) => {
    if (error !== undone) throw error;
  });
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

async function beginSlotAt(publisher: Client, name: string, position: Lsn): Promise<void> {
  const slot = await readSlot(publisher, name);
  if (!slot) return;
  if (lsnBytes(slot.confirmed) < lsnBytes(position))
    await publisher.query('SELECT pg_replication_slot_advance($1, $2::pg_lsn)', [name, position]);
  // Where it stands there already, it may be in memory alone.
  await publisher.query('CHECKPOINT');
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
      `The slot could not be made within ${limit} ms: it waits for transactions that are running: ` +
      `${blockers.map(({ who }) => who).join(', ') || 'none now'}.`,
    required: 'that these end within limits.slotCreation.',
    next: 'wait for them or end them (pg_terminate_backend), then run the same command again; nothing was changed.',
    cause,
  });
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

/** Process of the publisher that sends by a slot; undefined while nobody is connected. */
export async function senderOf(publisher: Client, slot: string): Promise<number | undefined> {
  const [found] = await rows<{ pid: number | null }>(
    publisher,
    'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return found?.pid ?? undefined;
}

/** Drops the subscription without asking its publisher, which may be gone. */
export async function unsubscribe(subscriber: Client, name: string): Promise<void> {
  const found = await readSubscription(subscriber, name);
  if (!found) return;
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} DISABLE`);
  await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} SET (slot_name = NONE)`);
  await subscriber.query(`DROP SUBSCRIPTION ${ident(name)}`);
}

/** The row of the barrier's table that a seal of this stream stands in. */
export function sealOf(stream: string): string {
  return `${stream} sealed`;
}

/** Drops slot, publication and marker; ends the sender that may still hold the slot. */
export async function unpublish(publisher: Client, name: string): Promise<void> {
  await dropSlot(publisher, name);
  await publisher.query(`DROP PUBLICATION IF EXISTS ${ident(name)}`);
  await publisher.query('DELETE FROM verdigris.barrier WHERE stream IN ($1, $2)', [name, sealOf(name)]);
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
      await publisher
        .query(
          'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL',
          [name],
        )
        .then(() =>
          publisher.query(
            'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NULL',
            [name],
          ),
        )
        .catch((error: { code?: string }) => {
          // 55006: somebody took it between the two statements; 42704: it is gone.
          if (error.code !== '55006' && error.code !== '42704') throw error;
        });
      return undefined;
    },
    { limit: 30_000, every: 5, what: `the slot ${name} dropped`, next: 'see who uses it in pg_replication_slots.' },
  );
}

function quoteConninfo(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function never(name: string): never {
  throw new Error(`the slot ${name} was made and is not there`);
}
