import { VerdigrisError } from '../../model/errors.ts';
import { qualified } from '../../postgres/catalogue.ts';
import { one, withTransaction, type Client } from '../../postgres/client.ts';
import { literal } from '../../postgres/quote.ts';
import { beside, type BackfillPlan } from './plan.ts';

export interface Batch {
  readonly seen: number;
  readonly filled: number;
  /** Key of the last row; null where no row was left. */
  readonly position: readonly string[] | null;
}

export interface BatchOptions {
  /** search_path of the backfill's own SQL. */
  readonly path: string;
  readonly owner: string | undefined;
  /** Key of the last row looked at; null for none. */
  readonly from: readonly string[] | null;
  readonly rows: number;
  /** Keeps the triggers of the table from firing, as they do not for rows that replication brings. */
  readonly quiet: boolean;
}

/** Milliseconds that a batch waits for a lock before it lets its own go and is tried again. */
const lockTimeout = 2_000;
/**
 * Milliseconds after which a batch looks for a deadlock: before anybody else does, so that it is the one to give way.
 */
const deadlockTimeout = 50;

/**
 * Looks at the next rows by key and fills those that need it. Rows and position are one transaction: after a kill at
 * any point the next run begins where the last commit ended, and no row is filled twice.
 */
export async function runBatch(
  client: Client,
  plan: BackfillPlan,
  { path, owner, from, rows, quiet }: BatchOptions,
): Promise<Batch> {
  const { backfill, table, key } = plan;
  const after = from === null ? 'true' : beside(plan, '>', 1);
  const names = key.map(({ name }) => `"${name.replaceAll('"', '""')}"`);
  return withTransaction(client, async () => {
    await client.query(
      // What the batch before called may have set either for the session.
      `SET LOCAL role = 'none'; SET LOCAL search_path = pg_catalog, pg_temp; ` +
        `SET LOCAL lock_timeout = ${lockTimeout}; SET LOCAL deadlock_timeout = ${deadlockTimeout}; SET LOCAL ` +
        `session_replication_role = ${quiet ? 'replica' : 'origin'}`,
    );
    const chunk = await one<{ seen: number; upper: string[] | null }>(
      client,
      `
      WITH chunk AS (SELECT ${names.join(', ')} FROM ${qualified(table)} WHERE ${after} ORDER BY ${names.join(', ')} LIMIT ${rows})
      SELECT (SELECT count(*)::int FROM chunk) AS seen,
        (SELECT ARRAY[${names.map((name) => `format('%s', ${name})`).join(', ')}] FROM chunk
          ORDER BY ${names.map((name) => `${name} DESC`).join(', ')} LIMIT 1) AS upper`,
      from === null ? [] : [from],
    );
    if (chunk.upper === null) {
      await note(client, plan, from, { position: null, seen: 0, filled: 0 }, true);
      return { seen: 0, filled: 0, position: null };
    }
    await setPath(client, path);
    await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
    const filled =
      (
        await client.query(
          `UPDATE ${qualified(table)} SET ${backfill.set}\n` +
            // Compared as above, whatever operators the user's names would find.
            `WHERE ${from === null ? '' : `${beside(plan, '>', 2)} AND `}${beside(plan, '<=', 1)} AND (${backfill.where}\n` +
            ')',
          from === null ? [chunk.upper] : [chunk.upper, from],
        )
      ).rowCount ?? 0;
    await client.query("SET LOCAL role = 'none'");
    await setPath(client, 'pg_catalog, pg_temp');
    const batch = { seen: chunk.seen, filled, position: chunk.upper };
    await note(client, plan, from, batch, false);
    return batch;
  });
}

/** For the rest of the transaction. */
async function setPath(client: Client, path: string): Promise<void> {
  await client.query("SELECT pg_catalog.set_config('search_path', $1, true)", [path]);
}

/** Whoever finds another position than he left has been overtaken, and must not go on from his own. */
async function note(
  client: Client,
  { backfill }: BackfillPlan,
  from: readonly string[] | null,
  batch: Batch,
  done: boolean,
): Promise<void> {
  const { rowCount } = await client.query(
    `
    UPDATE verdigris.backfill SET position = $4, rows_seen = rows_seen + $5, rows_filled = rows_filled + $6, batch_at
      = clock_timestamp(), done_at = CASE WHEN $7 THEN clock_timestamp() ELSE done_at END
    WHERE name = $1 AND checksum = $2 AND position IS NOT DISTINCT FROM $3::text[]`,
    [backfill.name, backfill.checksum, from, batch.position, batch.seen, batch.filled, done],
  );
  if (rowCount === 1) return;
  throw new VerdigrisError('backfill-elsewhere', {
    seen: `Another process continued ${backfill.name} meanwhile.`,
    required: 'one operator at a time.',
    next: 'run `verdigris status`. No batch was done twice; if the backfill is not complete, run `verdigris backfill` again.',
  });
}
