import type { Table } from './catalogue.ts';
import type { Client } from './client.ts';
import { columnText } from './column-text.ts';
import { literalDefaults } from './literal-defaults.ts';
import { literal } from './quote.ts';

/** Columns with values of their own that only `lost` has, of a table that both colours have. */
export function moreColumns(lost: Table, kept: Table | undefined): string[] {
  return lost.columns
    .filter(({ name, generated }) => kept && !generated && !kept.columns.some((column) => column.name === name))
    .map(({ name }) => name);
}

/**
 * SQL condition on a row `r` of the colour that is given up: in a column that the other one lacks it has another value
 * than every row got when the column was added. Where its default is no literal, any value counts.
 */
export async function hasMore(
  client: Client,
  { kept, lost }: { readonly kept: Table | undefined; readonly lost: Table },
): Promise<string> {
  const more = moreColumns(lost, kept);
  if (more.length === 0) return 'false';
  const values = await literalDefaults(client, lost);
  return more.map((name) => `${columnText('r', name)} IS DISTINCT FROM ${values.get(name) ?? 'NULL'}`).join(' OR ');
}

/**
 * SQL condition on a row `r`: this transaction or a later one wrote it; without one any row. Freezing leaves the number
 * of who wrote a row where it is.
 */
export function writtenSince(since: string | undefined): string {
  return since === undefined ? 'true' : `age(r.xmin) <= age(${literal(since)}::xid)`;
}
