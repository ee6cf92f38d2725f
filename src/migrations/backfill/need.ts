import { qualified } from '../../postgres/catalogue.ts';
import { one, withTransaction, type Client } from '../../postgres/client.ts';
import type { BackfillPlan } from './plan.ts';

/** Rows that still need it, counted up to `most`; undefined where that is not known within `limit` ms. */
export async function rowsInNeed(
  client: Client,
  { backfill, table }: Pick<BackfillPlan, 'backfill' | 'table'>,
  most: number,
  limit: number,
): Promise<number | undefined> {
  try {
    return await withTransaction(
      client,
      async () => {
        await client.query(`SET LOCAL statement_timeout = ${limit}`);
        return (
          await one<{ n: number }>(
            client,
            `SELECT count(*)::int AS n FROM (SELECT FROM ${qualified(table)} WHERE (${backfill.where}\n) LIMIT ${most}) AS needing`,
          )
        ).n;
      },
      'READ ONLY',
    );
  } catch (error) {
    if ((error as { code?: string }).code === '57014') return undefined;
    throw error;
  }
}
