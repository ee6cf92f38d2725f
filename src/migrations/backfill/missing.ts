import { qualified, type Table } from '../../postgres/catalogue.ts';
import type { Client } from '../../postgres/client.ts';
import type { Backfill } from './files.ts';
import { hasTarget, tableOf } from './plan.ts';

/** Errors of syntax and of names, and `invalid_schema_name`: what PostgreSQL says before it looks at a row. */
const unreadable = /^(42|3F)/;
/**
 * Errors of values, and those that a function raised: the planner computes what is constant. Who looks may not call
 * every function.
 */
const computed = /^(22|P0|42501)/;

/**
 * Why PostgreSQL cannot read a backfill any more, in its words: a later migration took away what it fills, or what that
 * is made of. Undefined where it can. Planned, not run. A failure aborts the transaction that it is called in.
 */
export async function missing(
  client: Client,
  tables: readonly Table[],
  backfill: Backfill,
): Promise<string | undefined> {
  const table = tableOf(tables, backfill);
  if (!table) return `there is no table ${backfill.table}`;
  if (!hasTarget(tables, backfill))
    return `${backfill.table} has no ${backfill.assignments
      .map(({ column }) => column)
      .filter((column) => !table.columns.some(({ name }) => name === column))
      .join(', ')}`;
  try {
    await client.query(
      `EXPLAIN SELECT ${backfill.assignments.map(({ expression }) => `(${expression}\n)`).join(', ')} FROM ${qualified(table)} WHERE (${backfill.where}\n)`,
    );
    return undefined;
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (computed.test(code)) return undefined;
    if (unreadable.test(code)) return message;
    throw error;
  }
}
