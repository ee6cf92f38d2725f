import prettyBytes from 'pretty-bytes';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../engine/context.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import { count } from '../../model/count.ts';

interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Of shared_buffers: what the candidate's own work needs stays. */
const share = 0.75;

/**
 * Reads into the candidate's cache what the live colour uses most, tables and indexes, while nobody waits, for
 * `limits.warm` at most. By pg_prewarm, where the database has it; it changes nothing, and what goes wrong with it ends
 * nothing.
 */
export async function warm(c: Context): Promise<void> {
  const limit = c.environment.limits.warm;
  if (limit === 0 || c.journal.state === 'switched') return;
  const begun = performance.now();
  const work = warmed(c, begun + limit).catch(() => undefined);
  const end = new AbortController();
  // A disk that hangs delays the switchover by the limit and no longer; the statement under way has it too.
  const late = sleep(limit, undefined, { signal: end.signal, ref: false }).catch(() => undefined);
  const done = await Promise.race([work, late]);
  end.abort();
  c.signal.throwIfAborted();
  if (!done) return;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const text = `cache of ${c.idle} warmed: ${count(done.relations, 'relation')}, ${prettyBytes(done.bytes)} in ${seconds} s`;
  c.emit({ type: 'note', text });
}

async function warmed(
  c: Context,
  until: number,
): Promise<{ readonly relations: number; readonly bytes: number } | undefined> {
  const used = await c.on(c.live, mostUsed);
  return c.on(c.idle, async (client) => {
    const prewarm = await functionOf(client);
    if (prewarm === undefined) return undefined;
    const { room, size } = await one<{ room: number; size: number }>(
      client,
      "SELECT setting::float8 AS room, current_setting('block_size')::int AS size FROM pg_settings WHERE name = 'shared_buffers'",
    );
    let [relations, blocks] = [0, 0];
    for (const { schema, name } of used) {
      const left = until - performance.now();
      if (left <= 0 || blocks >= share * room || c.signal.aborted) break;
      await client.query(`SET statement_timeout = ${Math.ceil(left)}`);
      // What the release no longer has, or has as something else, is left out.
      const [read] = await rows<{ blocks: number }>(
        client,
        `SELECT ${prewarm}(c.oid::regclass)::float8 AS blocks FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE nspname = $1 AND relname = $2 AND relkind IN ('r', 'm', 'i', 't') AND pg_relation_size(c.oid) / $4 <= $3`,
        [schema, name, Math.floor(share * room - blocks), size],
      ).catch(() => []);
      if (!read) continue;
      relations++;
      blocks += read.blocks;
    }
    return { relations, bytes: blocks * size };
  });
}

/** Tables and indexes by how often their blocks were asked for. */
function mostUsed(client: Client): Promise<Relation[]> {
  return rows<Relation>(
    client,
    `SELECT schema, name FROM (
      SELECT schemaname AS schema, relname AS name, heap_blks_hit + heap_blks_read AS used FROM pg_statio_user_tables
      UNION ALL SELECT schemaname, indexrelname, idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes) u
    WHERE used > 0 ORDER BY used DESC LIMIT 1000`,
  );
}

/** The function's qualified name; undefined where the database has no pg_prewarm. */
async function functionOf(client: Client): Promise<string | undefined> {
  const [found] = await rows<{ schema: string }>(
    client,
    "SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_prewarm'",
  );
  return found && ident(found.schema, 'pg_prewarm');
}
