import { rows, type Client } from '../../postgres/client.ts';
import type { Backfill } from './files.ts';

/** How far a backfill came on the colour whose database says so. */
export interface RecordedProgress {
  readonly name: string;
  readonly checksum: string;
  /** Key of the last row looked at; null at the beginning. */
  readonly position: readonly string[] | null;
  readonly seen: number;
  readonly filled: number;
  readonly startedAt: Date;
  /** Set once every row was looked at; a backfill that has it is complete. */
  readonly doneAt: Date | null;
  /** Rows a second of its newest run, waiting included; null before its first batch. */
  readonly rowsPerSecond: number | null;
  /** Process of the server that runs it at this moment; null where none does. */
  readonly runner: number | null;
}

const columns = `name, checksum, position, rows_seen::float8 AS seen, rows_filled::float8 AS filled, started_at AS "startedAt", done_at AS "doneAt",
  (rows_seen - run_seen) / nullif(extract(epoch FROM batch_at - run_at), 0)::float8 AS "rowsPerSecond",
  (SELECT a.pid FROM pg_stat_activity a WHERE a.pid = runner AND a.backend_start <= run_at AND (done_at IS NULL OR position IS NOT NULL)) AS runner`;

/** None on a colour that was made before there were backfills. */
export async function readProgress(client: Client): Promise<RecordedProgress[]> {
  if ((await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.backfill')")).length === 0)
    return [];
  return rows<RecordedProgress>(client, `SELECT ${columns} FROM verdigris.backfill ORDER BY name`);
}

/**
 * Where to go on: what an earlier run of the same text wrote down, else the beginning. A text that changed since begins
 * again, as does a pass that looks for drift; the latter keeps the mark of completion.
 */
export async function beginProgress(
  client: Client,
  { name, checksum }: Backfill,
  release: string,
  again: boolean,
): Promise<RecordedProgress> {
  const [progress] = await rows<RecordedProgress>(
    client,
    `
    INSERT INTO verdigris.backfill AS b (name, checksum, release, runner, run_at, run_seen) VALUES ($1, $2, $3, pg_backend_pid(), clock_timestamp(), 0)
    ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, release = excluded.release,
      position = CASE WHEN b.checksum = excluded.checksum AND NOT $4 THEN b.position END,
      rows_seen = CASE WHEN b.checksum = excluded.checksum AND NOT $4 THEN b.rows_seen ELSE 0 END,
      rows_filled = CASE WHEN b.checksum = excluded.checksum THEN b.rows_filled ELSE 0 END,
      started_at = CASE WHEN b.checksum = excluded.checksum THEN b.started_at ELSE clock_timestamp() END,
      done_at = CASE WHEN b.checksum = excluded.checksum THEN b.done_at END,
      runner = excluded.runner, run_at = excluded.run_at, run_seen = CASE WHEN b.checksum = excluded.checksum
        AND NOT $4 THEN b.rows_seen ELSE 0 END, batch_at = NULL
    RETURNING ${columns}`,
    [name, checksum, release, again],
  );
  if (!progress) throw new Error('an upsert returns its row');
  return progress;
}

/** Whether the file as it is now has run to its end there. */
export function isDone({ name, checksum }: Backfill, progress: readonly RecordedProgress[]): boolean {
  return progress.some((each) => each.name === name && each.checksum === checksum && each.doneAt !== null);
}

/** Marks it complete without a run: on the candidate, where the rows came by replication. */
export async function markDone(client: Client, { name, checksum }: Backfill, release: string): Promise<void> {
  await client.query(
    `INSERT INTO verdigris.backfill (name, checksum, release, done_at) VALUES ($1, $2, $3, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, done_at = excluded.done_at`,
    [name, checksum, release],
  );
}
