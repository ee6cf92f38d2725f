import { qualified } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession, withClient } from '../session.ts';
import { populatedViews, refreshMaterializedViews } from '../materialized-views.ts';
import type { SeedProgress } from './copy-rows.ts';
import { beginSeed, pendingStatements, runStatements, type Method } from './ledger.ts';
import type { SchemaStatement, Stage } from './statements.ts';
import { inParallel } from './workers.ts';

export interface SchemaWork {
  readonly candidate: ConnectionSettings;
  readonly stream: string;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SeedProgress) => void;
}

/** Statements of one transaction: enough that it costs little, and few enough for its locks. */
const together = 100;

/** Writes the statements down, and makes what is there before the first row. */
export function makeSchema(work: SchemaWork, method: Method, statements: readonly SchemaStatement[]): Promise<void> {
  return withOwnSession(work.candidate, 'seed', async (candidate) => {
    await beginSeed(candidate, { method, stream: work.stream }, statements);
    await inOrder(candidate, 'pre', work.signal);
  });
}

/** Makes what replication finds rows by. */
export async function makeKeys(work: SchemaWork): Promise<void> {
  await sideBySide(work, 'key');
  await withOwnSession(work.candidate, 'seed', (candidate) => inOrder(candidate, 'identity', work.signal));
}

/**
 * Makes all that is left of the schema, fills materialized views that hold rows on the live server, and gives the
 * planner its statistics.
 */
export async function finishSchema(work: SchemaWork & { readonly live: ConnectionSettings }): Promise<void> {
  await makeKeys(work);
  await sideBySide(work, 'index');
  await withOwnSession(work.candidate, 'seed', (candidate) => inOrder(candidate, 'rest', work.signal, 1));
  const views = await withOwnSession(work.live, 'seed', populatedViews);
  // Both evaluate functions of the user's, which find names as under any other client.
  await withClient(work.candidate, 'seed', (candidate) => refreshMaterializedViews(candidate, views));
  await inParallel(await withOwnSession(work.candidate, 'seed', analyzed), work.workers, (next) =>
    withClient(work.candidate, 'seed', async (candidate) => {
      for (let table = next(); table !== undefined; table = next()) {
        work.signal.throwIfAborted();
        await candidate.query(`ANALYZE ${qualified(table)}`);
      }
    }),
  );
}

/** All that has rows, the largest first. */
function analyzed(candidate: Client): Promise<{ readonly schema: string; readonly name: string }[]> {
  return rows(
    candidate,
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY pg_relation_size(c.oid) DESC`,
  );
}

async function inOrder(candidate: Client, stage: Stage, signal: AbortSignal, batch = together): Promise<void> {
  await candidate.query('SET synchronous_commit = off');
  const pending = await pendingStatements(candidate, stage);
  for (let from = 0; from < pending.length; from += batch) {
    signal.throwIfAborted();
    await runStatements(candidate, pending.slice(from, from + batch));
  }
}

/**
 * Nobody else is at work on the candidate. Whoever notes that the seed is whole waits for the disk, and with that for
 * all of it.
 */
const building = `SET synchronous_commit = off;
  SELECT set_config('maintenance_work_mem', greatest(setting::int, ${256 * 1024})::text, false)
  FROM pg_settings WHERE name = 'maintenance_work_mem'`;

async function sideBySide(work: SchemaWork, stage: Stage): Promise<void> {
  const pending = await withOwnSession(work.candidate, 'seed', (candidate) => pendingStatements(candidate, stage));
  let done = 0;
  await inParallel(pending, work.workers, (next) =>
    withOwnSession(work.candidate, 'seed', async (candidate) => {
      await candidate.query(building);
      for (let statement = next(); statement !== undefined; statement = next()) {
        work.signal.throwIfAborted();
        await runStatements(candidate, [statement]);
        done += 1;
        work.onProgress({ what: 'indexes', done, total: pending.length, unit: 'indexes' });
      }
    }),
  );
}
