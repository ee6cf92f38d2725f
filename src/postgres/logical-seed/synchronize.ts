import { pauseUnless } from '../../model/wait.ts';
import { label, ownRows, readTables, type Table } from '../catalogue.ts';
import { one, rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession } from '../session.ts';
import { ident } from '../quote.ts';
import { publishMore } from '../stream/publication.ts';
import { readSubscription } from '../stream/subscription.ts';
import { writerOf } from '../readers.ts';
import type { RowCopy } from './copy-rows.ts';
import { yieldToClients } from './pressure.ts';
import { copyFailed } from './copy-failed.ts';

/** Milliseconds between two looks at how far tables have come. */
const pause = 100;
/** Small tables are given to the subscription together: each time it asks the publisher what there is. */
const together = { bytes: 16 * 1024 ** 2, tables: 100 };
/**
 * Errors met without one table getting ready; what passes by itself (a lost connection) PostgreSQL tries again every 5
 * s.
 */
const patience = 3;

/** As pg_subscription_rel has it: (i)nitialising, copying (d)ata, (f)inished copying, (s)ynchronised, (r)eady. */
interface State {
  readonly table: string;
  readonly state: 'i' | 'd' | 'f' | 's' | 'r';
  /** Bytes of the copy that is under way. */
  readonly copied: number;
}

/**
 * Gives the subscription one table after the other, and returns when replication applies to all. No more are copied at
 * a time than `workers` and the candidate's max_sync_workers_per_subscription allow. What the subscription knows is not
 * given again.
 */
export async function synchronize(
  live: Client,
  candidate: Client,
  copy: RowCopy & { readonly stream: string },
): Promise<{ readonly longestMs: number }> {
  const { stream, workers, busy, signal, onProgress } = copy;
  const writer = await writerOf(candidate, copy.candidate);
  const here = new Set((await readTables(candidate)).map(label));
  const all = (await readTables(live)).filter((table) => here.has(label(table))).toSorted((a, b) => b.bytes - a.bytes);
  const sizes = new Map(all.map((table) => [label(table), table.bytes]));
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const known = new Set((await states(candidate, stream)).map(({ table }) => table));
  const waiting = all.filter((table) => !known.has(label(table)));
  const places = Math.min(workers, await syncWorkers(candidate));
  const watch = new Watch();
  for (;;) {
    const now = (await states(candidate, stream)).filter(({ table }) => sizes.has(table));
    watch.see(now);
    const open = now.filter(({ state }) => state !== 'r');
    const done = now.reduce((sum, { table, state, copied }) => sum + sizeDone(sizes.get(table) ?? 0, state, copied), 0);
    onProgress({ what: open.map(({ table }) => table).join(', '), done, total, unit: 'bytes' });
    if (open.length === 0 && waiting.length === 0) return { longestMs: watch.longestMs };
    await requireNoError(candidate, stream, now, watch);
    if (waiting.length > 0 && open.length < places) {
      await yieldToClients(live, busy, signal);
      await give(live, candidate, writer, stream, nextBatch(waiting));
    } else await pauseUnless(pause, signal);
  }
}

function sizeDone(bytes: number, state: State['state'], copied: number): number {
  return state === 'i' || state === 'd' ? Math.min(bytes, copied) : bytes;
}

function nextBatch(waiting: Table[]): Table[] {
  const batch: Table[] = [];
  let bytes = 0;
  for (let table = waiting[0]; table !== undefined; table = waiting[0]) {
    if (batch.length > 0 && (bytes + table.bytes > together.bytes || batch.length >= together.tables)) break;
    batch.push(table);
    bytes += table.bytes;
    waiting.shift();
  }
  return batch;
}

/**
 * What CREATE EXTENSION put into a table comes with the others' rows; no table has rows of anybody else's before it is
 * given.
 */
async function give(
  live: Client,
  candidate: Client,
  writer: ConnectionSettings,
  stream: string,
  tables: readonly Table[],
): Promise<void> {
  await withOwnSession(writer, 'seed', async (client) => {
    for (const table of tables) await client.query(`DELETE FROM ${ownRows(table)}`);
  });
  await publishMore(
    live,
    stream,
    tables.map((table) => ({ table })),
  );
  await candidate.query(`ALTER SUBSCRIPTION ${ident(stream)} REFRESH PUBLICATION WITH (copy_data = true)`);
}

async function syncWorkers(candidate: Client): Promise<number> {
  const { places } = await one<{ places: number }>(
    candidate,
    "SELECT current_setting('max_sync_workers_per_subscription')::int AS places",
  );
  return Math.max(1, places);
}

function states(candidate: Client, stream: string): Promise<State[]> {
  return rows<State>(
    candidate,
    `SELECT n.nspname || '.' || c.relname AS table, r.srsubstate AS state, coalesce(p.bytes_processed, 0)::float8 AS copied
    FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_stat_progress_copy p ON p.relid = r.srrelid AND p.datname = current_database()
    WHERE s.subname = $1 AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [stream],
  );
}

/** How long tables take, and whether any gets ready. */
class Watch {
  readonly #begun = new Map<string, number>();
  #ready = 0;
  errorsAtProgress = 0;
  longestMs = 0;
  progressed = true;

  see(now: readonly State[]): void {
    for (const { table, state } of now) {
      const begun = this.#begun.get(table);
      if (state === 'd' && begun === undefined) this.#begun.set(table, performance.now());
      if (state !== 'd' && begun !== undefined) {
        this.longestMs = Math.max(this.longestMs, Math.round(performance.now() - begun));
        this.#begun.delete(table);
      }
    }
    const ready = now.filter(({ state }) => state === 'r').length;
    this.progressed ||= ready > this.#ready;
    this.#ready = ready;
  }
}

async function requireNoError(candidate: Client, stream: string, now: readonly State[], watch: Watch): Promise<void> {
  const errors = (await readSubscription(candidate, stream))?.errors ?? 0;
  if (watch.progressed) [watch.errorsAtProgress, watch.progressed] = [errors, false];
  if (errors < watch.errorsAtProgress + patience) return;
  const tables = now.flatMap(({ table, state }) => (state === 'r' ? [] : [table]));
  throw copyFailed(
    `The candidate could not synchronise ${tables.join(', ')}: ${errors - watch.errorsAtProgress} failures in a row.`,
    'tables that are there are not copied again.',
    { tables },
  );
}
