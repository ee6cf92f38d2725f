import { VerdigrisError } from '../../model/errors.ts';
import { qualified, readTables, type Table } from '../../postgres/catalogue.ts';
import { asLogin, withFixedPath, type Client } from '../../postgres/client.ts';
import type { Backfill } from './files.ts';
import { missing } from './missing.ts';
import { hasTarget, planBackfill, tableOf } from './plan.ts';
import { isDone, readProgress } from './progress.ts';

/**
 * Runs backfills whole inside the caller's transaction, which is rolled back: what comes after may need the rows
 * filled, and whether PostgreSQL takes `set` and `where` is known before anything is changed. On emptied tables it
 * costs nothing. What is complete and can no longer be read is left out: it will not run.
 */
export async function rehearseBackfills(client: Client, backfills: readonly Backfill[]): Promise<void> {
  const progress = backfills.length === 0 ? [] : await asLogin(client, () => readProgress(client));
  for (const backfill of backfills) {
    const tables = await readTables(client);
    const table = tableOf(tables, backfill);
    // Columns that are not there are the gate's to refuse, in its words.
    if (!table || !hasTarget(tables, backfill)) continue;
    if (isDone(backfill, progress) && (await outlived(client, tables, backfill))) continue;
    await withFixedPath(client, () => planBackfill(client, backfill));
    await client
      .query(`UPDATE ${qualified(table)} SET ${backfill.set}\nWHERE (${backfill.where}\n)`)
      .catch((cause: Error) => {
        throw new VerdigrisError('backfill-failed', {
          seen: `${backfill.name}: ${cause.message}`,
          required: 'that `set` and `where` can be computed for every row.',
          next: 'it was tried in a transaction that was rolled back: nothing was changed. Fix the file and run the same command again.',
          facts: { backfill: backfill.name, file: backfill.path, sqlstate: (cause as { code?: string }).code },
          cause,
        });
      });
  }
}

/** As `missing`, leaving the transaction whole. */
async function outlived(client: Client, tables: readonly Table[], backfill: Backfill): Promise<boolean> {
  await client.query('SAVEPOINT verdigris_read');
  try {
    return (await missing(client, tables, backfill)) !== undefined;
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT verdigris_read; RELEASE SAVEPOINT verdigris_read');
  }
}
