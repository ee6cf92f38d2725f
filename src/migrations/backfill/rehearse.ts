import { VerdigrisError } from '../../model/errors.ts';
import { qualified, readTables } from '../../postgres/catalogue.ts';
import type { Client } from '../../postgres/client.ts';
import type { Backfill } from './files.ts';
import { hasTarget, planBackfill, tableOf } from './plan.ts';

/**
 * Runs backfills whole inside the caller's transaction, which is rolled back: what comes after may need the rows filled, and whether
 * PostgreSQL takes `set` and `where` is known before anything is changed. On emptied tables it costs nothing.
 */
export async function rehearseBackfills(client: Client, backfills: readonly Backfill[]): Promise<void> {
  for (const backfill of backfills) {
    const tables = await readTables(client);
    const table = tableOf(tables, backfill);
    // Columns that are not there are the gate's to refuse, in its words.
    if (!table || !hasTarget(tables, backfill)) continue;
    await planBackfill(client, backfill);
    await client.query(`UPDATE ${qualified(table)} SET ${backfill.set}\nWHERE (${backfill.where}\n)`).catch((cause: Error) => {
      throw new VerdigrisError('failed', 'backfill-failed', {
        seen: `${backfill.name}: ${cause.message}`,
        required: 'that `set` and `where` can be computed for every row.',
        next: 'it was tried in a transaction that is rolled back: nothing is changed. Mend the file and run the same command again.',
        facts: { backfill: backfill.name, file: backfill.path, sqlstate: (cause as { code?: string }).code },
        cause,
      });
    });
  }
}
