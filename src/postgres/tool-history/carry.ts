import { VerdigrisError } from '../../model/errors.ts';
import { one, rows, withTransaction, type Client } from '../client.ts';
import { literal } from '../quote.ts';
import { isHistory, locks } from './known.ts';

/** What was carried over a connection: under the fence one look tells whether a tool wrote anything since. */
const carried = new WeakMap<Client, { readonly tables: readonly string[]; readonly digest: string }>();

/** Writes down what a colour's histories hold: what its tool writes there later is told from it. */
export async function rememberHistories(client: Client): Promise<void> {
  await remember(client, await readHistories(client));
}

/**
 * Gives `to` what the tool wrote into its histories on `from` since those were last written down there. They are not
 * replicated: what the release's own run wrote on `to` stays. Idempotent; returns how many rows it took. Called before
 * the hold and again under the fence, where it is one look if nothing was written since.
 * @throws VerdigrisError `history-not-carried` where both colours' tools wrote what does not go together.
 */
export async function carryHistories(from: Client, to: Client): Promise<number> {
  const before = carried.get(to);
  const tables = before?.tables ?? (await readHistories(from));
  const digest = await digestOf(from, tables);
  if (before?.digest === digest) return 0;
  let count = 0;
  const there = await readHistories(to);
  for (const table of tables) {
    const base = await baseOf(from, table);
    if (base === undefined || !there.includes(table)) continue;
    const now = await one<{ rows: string }>(from, everyRow(table));
    count += await carry(to, table, base, now);
    await from.query('UPDATE verdigris.tool_history SET rows = $2::jsonb WHERE history = $1', [table, now.rows]);
  }
  // Should the writes move, what is written from then on is carried the other way.
  await remember(to, there);
  carried.set(to, { tables, digest });
  return count;
}

/** Quoted names, those that only say who is at work left out. */
async function readHistories(client: Client): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname <> 'verdigris' AND c.relname <> ALL ($1) AND ${isHistory} ORDER BY 1`,
    [locks],
  );
  return found.map(({ name }) => name);
}

function everyRow(table: string): string {
  return `SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text AS rows FROM ${table} t`;
}

async function digestOf(client: Client, tables: readonly string[]): Promise<string> {
  if (tables.length === 0) return '';
  const { digest } = await one<{ digest: string }>(
    client,
    `SELECT concat_ws(' ', ${tables
      .map((table) => `(SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM ${table} t)`)
      .join(', ')}) AS digest`,
  );
  return digest;
}

async function baseOf(client: Client, table: string): Promise<{ rows: string } | undefined> {
  const [found] = await rows<{ rows: string }>(
    client,
    'SELECT rows::text AS rows FROM verdigris.tool_history WHERE history = $1',
    [table],
  );
  return found;
}

async function remember(client: Client, tables: readonly string[]): Promise<void> {
  const upserts = tables.map(
    (
      table,
    ) => `INSERT INTO verdigris.tool_history (history, rows) SELECT ${literal(table)}, rows::jsonb FROM (${everyRow(table)}) AS now
    ON CONFLICT (history) DO UPDATE SET rows = excluded.rows`,
  );
  if (upserts.length > 0) await client.query(upserts.join(';'));
}

/**
 * Rows as jsonb: the same whatever order the columns have. What is in `now` and not in `base` was written, the other
 * way round taken away.
 */
async function carry(to: Client, table: string, base: { rows: string }, now: { rows: string }): Promise<number> {
  const { written, gone } = await one<{ written: string[]; gone: string[] }>(
    to,
    `SELECT ARRAY(SELECT * FROM jsonb_array_elements($2::jsonb) EXCEPT ALL SELECT * FROM jsonb_array_elements($1::jsonb))::text[] AS written,
      ARRAY(SELECT * FROM jsonb_array_elements($1::jsonb) EXCEPT ALL SELECT * FROM jsonb_array_elements($2::jsonb))::text[] AS gone`,
    [base.rows, now.rows],
  );
  if (written.length + gone.length === 0) return 0;
  return withTransaction(to, async () => {
    const missing = await rows<{ row: string }>(
      to,
      `SELECT w.row::text AS row FROM (SELECT unnest($1::text[])::jsonb EXCEPT ALL SELECT to_jsonb(t) FROM ${table} t) AS w(row)`,
      [written],
    );
    const taken = await to.query(
      `DELETE FROM ${table} WHERE ctid IN (
        SELECT t.ctid FROM (SELECT ctid, to_jsonb(h) AS row, row_number() OVER (PARTITION BY to_jsonb(h)) AS place FROM ${table} h) AS t
        JOIN (SELECT g::jsonb AS row, count(*) AS count FROM unnest($1::text[]) AS g GROUP BY 1) AS w ON w.row = t.row AND t.place <= w.count)`,
      [gone],
    );
    // A row that was changed here and there in different ways has no one successor.
    if (missing.length > 0 && (taken.rowCount ?? 0) < gone.length) throw notCarried(table, missing);
    await to
      .query(
        `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT r.* FROM unnest($1::text[]) AS w(row) CROSS JOIN ` +
          `LATERAL jsonb_populate_record(NULL::${table}, w.row::jsonb) AS r`,
        [missing.map(({ row }) => row)],
      )
      .catch((cause: unknown) => {
        throw notCarried(table, missing, cause);
      });
    return missing.length + (taken.rowCount ?? 0);
  });
}

function notCarried(table: string, missing: readonly { row: string }[], cause?: unknown): VerdigrisError {
  return new VerdigrisError('history-not-carried', {
    seen:
      `A migration tool wrote into its history ${table} on the live colour while the release was under way, ` +
      `and what the release's own run wrote on the candidate does not go together with it${cause === undefined ? '' : ` (${(cause as Error).message})`}: ` +
      `${missing.map(({ row }) => row).join(', ')}.`,
    required:
      'a history that says of both what has run: the tool would run again, or leave out, what the other colour has.',
    next: 'nothing was changed, and clients go on. Abandon the candidate and seed again: the new one begins with what has run on the live colour.',
    facts: { table, rows: missing.map(({ row }) => row) },
    cause,
  });
}
