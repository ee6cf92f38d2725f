import { rows, withTransaction, type Client } from '../postgres/client.ts';
import { ident } from '../postgres/quote.ts';
import { readTables } from '../postgres/catalogue.ts';
import { random, statements } from './rows.ts';

export interface GenerateOptions {
  /** Equal seeds give equal rows, on every server; default 1. */
  readonly seed?: number;
  /** 1, the default, gives some 100,000 rows. */
  readonly scale?: number;
}

export interface Generated {
  /** Rows in total. */
  readonly rows: number;
  readonly byTable: Readonly<Record<string, number>>;
}

/**
 * Fills the empty sample in one transaction, refreshes its materialized view and analyzes it. The triggers are at work:
 * totals and stock are theirs. No clock and no random function is asked.
 */
export async function generateSample(
  client: Client,
  { seed = 1, scale = 1 }: GenerateOptions = {},
): Promise<Generated> {
  await withTransaction(client, async () => {
    await client.query(random(seed));
    for (const statement of statements(scale)) await client.query(statement);
    await client.query('REFRESH MATERIALIZED VIEW shop.sales_by_month; DROP FUNCTION pg_temp.r(bigint, int, int)');
  });
  const byTable: Record<string, number> = {};
  for (const { schema, name } of (await readTables(client)).filter((table) => table.schema === 'shop')) {
    await client.query(`ANALYZE ${ident(schema, name)}`);
    const [counted] = await rows<{ n: string }>(client, `SELECT count(*) AS n FROM ${ident(schema, name)}`);
    byTable[name] = Number(counted?.n);
  }
  return { rows: Object.values(byTable).reduce((sum, count) => sum + count, 0), byTable };
}
