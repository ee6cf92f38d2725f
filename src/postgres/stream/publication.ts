import { setTimeout as sleep } from 'node:timers/promises';
import { VerdigrisError } from '../../model/errors.ts';
import { label, qualified, type Table } from '../catalogue.ts';
import { one, rows, withTransaction, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { ident } from '../quote.ts';
import { dropSlot } from './slot.ts';

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
  if (await isPublished(publisher, name)) {
    await publisher.query(`ALTER PUBLICATION ${ident(name)} SET ${publishedList(all)}`);
    return;
  }
  const options = (await byRoot(publisher, subscriber)) ? ' WITH (publish_via_partition_root = true)' : '';
  await publisher.query(`CREATE PUBLICATION ${ident(name)} FOR ${publishedList(all)}${options}`);
}

/** The first major that publishes partitions as their root. */
const asRoot = 13;
/** The first major that publishes a part of a table's columns. */
const columnLists = 15;

/** A subscriber applies to a partitioned table from the same major on. */
async function byRoot(publisher: Client, subscriber: Client | undefined): Promise<boolean> {
  return (await majorOf(publisher)) >= asRoot && (subscriber === undefined || (await majorOf(subscriber)) >= asRoot);
}

/**
 * What a publisher is given for these tables, by its major and that of who subscribes.
 * @throws VerdigrisError `publisher-too-old`
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
    seen: `PostgreSQL ${major} publishes whole tables, but only these columns can be carried: ${which.join('; ')}.`,
    required: `tables with the same columns on both colours, as long as one that publishes is older than ${columnLists}.`,
    next: 'move to the newer major first, with the schema as it is; make this change of columns in the release after.',
    facts: { major, tables: cut.map(({ table }) => label(table)) },
  });
}

/** Makes the publication where there is none, with nothing of the user's in it yet. */
export async function startPublishing(publisher: Client, name: string): Promise<void> {
  await ((await isPublished(publisher, name)) ? publishMore(publisher, name, []) : publish(publisher, name, []));
}

/**
 * Adds tables to those that are published; one that is there already stays. The barrier's too: an undoing that was cut
 * short took it out (`emptied`), and without it no marker would ever arrive.
 */
export async function publishMore(publisher: Client, name: string, tables: readonly PublishedTable[]): Promise<void> {
  const there = await rows<{ name: string }>(
    publisher,
    "SELECT format('%s %s', schemaname, tablename) AS name FROM pg_publication_tables WHERE pubname = $1",
    [name],
  );
  const all = [...(await asPublished(publisher, tables)), { table: barrierTable }];
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

/**
 * Whether the table of the markers is in the publication; it leaves it with the schema that somebody drops. The view
 * pg_publication_tables would tell too, and opens every table of the publication: it waits for whoever keeps one locked.
 */
export async function sendsMarkers(publisher: Client, name: string): Promise<boolean> {
  const { rowCount } = await publisher.query(
    `SELECT FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1 AND n.nspname = $2 AND c.relname = $3`,
    [name, barrierTable.schema, barrierTable.name],
  );
  return rowCount === 1;
}

/** The row of the barrier's table that holds a seal of this stream. */
export function sealOf(stream: string): string {
  return `${stream} sealed`;
}

/** Drops slot, publication and marker; ends the sender that may still hold the slot. */
export async function unpublish(publisher: Client, name: string): Promise<void> {
  await dropSlot(publisher, name);
  if (await isPublished(publisher, name)) {
    await emptied(publisher, name);
    await publisher.query(`DROP PUBLICATION IF EXISTS ${ident(name)}`);
  }
  await forgetMarkers(publisher, name);
}

/** Milliseconds for which statements are waited for that began before. Longer ones have looked long since. */
const longest = 1_000;
/** Milliseconds that a table's lock is waited for. */
const lockLimit = 100;

/**
 * UPDATE and DELETE read which publications have their table, and then each of these: one that was dropped in between
 * ends them with XX000 `cache lookup failed for publication` (RelationBuildPublicationDesc in relcache.c). So nothing of
 * the user's is in it any more when it goes, and who may have read otherwise has ended.
 * For the clients' sake alone: dropping needs no lock of a table, emptying does. What somebody holds locked for
 * longer than the limit (VACUUM, LOCK TABLE) stays in.
 */
async function emptied(publisher: Client, name: string): Promise<void> {
  const free = await rows<{ name: string }>(
    publisher,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pubname = $1 AND NOT EXISTS (SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = c.oid AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.granted AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
        AND coalesce(a.xact_start < clock_timestamp() - $2 * interval '1 ms', true))`,
    [name, lockLimit],
  );
  if (free.length === 0) return;
  const list = free.map((table) => `ONLY ${table.name}`).join(', ');
  await withTransaction(publisher, async () => {
    await publisher.query(`SET LOCAL lock_timeout = ${lockLimit}`);
    await publisher.query(`ALTER PUBLICATION ${ident(name)} DROP TABLE ${list}`);
  }).then(
    () => forgotten(publisher),
    // One was locked, renamed or dropped since.
    () => undefined,
  );
}

/** Every statement has ended that was under way when this was called, or had looked long since. */
async function forgotten(publisher: Client): Promise<void> {
  const { now } = await one<{ now: string }>(publisher, 'SELECT clock_timestamp()::text AS now');
  const busy = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
    AND state = 'active' AND query_start <= $1::timestamptz AND pid <> pg_backend_pid() LIMIT 1`;
  const end = performance.now() + longest;
  do await sleep(10);
  while ((await rows(publisher, busy, [now])).length > 0 && performance.now() < end);
}

export async function forgetMarkers(publisher: Client, name: string): Promise<void> {
  await publisher.query('DELETE FROM verdigris.barrier WHERE stream IN ($1, $2)', [name, sealOf(name)]);
}
