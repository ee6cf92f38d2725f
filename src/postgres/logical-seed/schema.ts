import { qualified } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession, withClient } from '../session.ts';
import { populatedViews, refreshMaterializedViews } from '../materialized-views.ts';
import { beginSeed, type Method } from './ledger.ts';
import { makeInOrder, makeSideBySide, type SchemaWork } from './make.ts';
import type { SchemaStatement } from './statements.ts';
import { inParallel } from './workers.ts';

/** Writes the statements down, and makes what is there before the first row. */
export function makeSchema(work: SchemaWork, method: Method, statements: readonly SchemaStatement[]): Promise<void> {
  return withOwnSession(work.candidate, 'seed', async (candidate) => {
    await beginSeed(candidate, { method, stream: work.stream }, statements);
    await makeInOrder(work, candidate, 'pre');
  });
}

/** Names of the server's tablespaces. */
export async function tablespacesOf(client: Client): Promise<ReadonlySet<string>> {
  const found = await rows<{ name: string }>(client, 'SELECT spcname AS name FROM pg_tablespace');
  return new Set(found.map(({ name }) => name));
}

/** Makes what replication finds rows by. */
export async function makeKeys(work: SchemaWork): Promise<void> {
  await makeSideBySide(work, 'key');
  await withOwnSession(work.candidate, 'seed', (candidate) => makeInOrder(work, candidate, 'identity'));
}

/**
 * Makes all that is left of the schema, fills materialized views that hold rows on the live server, and gives the
 * planner its statistics.
 */
export async function finishSchema(work: SchemaWork & { readonly live: ConnectionSettings }): Promise<void> {
  await makeKeys(work);
  await makeSideBySide(work, 'index');
  await withOwnSession(work.candidate, 'seed', (candidate) => makeInOrder(work, candidate, 'rest', 1));
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
