import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { rows, type Client } from '../client.ts';
import { copyLines } from '../copy-lines.ts';
import { ident } from '../quote.ts';
import { isHistory, locks } from './known.ts';

export interface History {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  /** Those that are stored. */
  readonly columns: readonly string[];
}

/** By column, what COPY writes of the value, as it writes it; null for none. */
export type HistoryRow = Readonly<Record<string, string | null>>;

/** Those that only say who is at work are left out. */
export function readHistories(client: Client): Promise<History[]> {
  return rows<History>(
    client,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema, c.relname AS table, stored.columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT array_agg(attname::text ORDER BY attname) AS columns FROM pg_attribute
      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS stored
    WHERE c.relkind = 'r' AND n.nspname <> 'verdigris' AND c.relname <> ALL ($1) AND stored.columns IS NOT NULL AND ${isHistory}
    ORDER BY 1`,
    [locks],
  );
}

/**
 * COPY of the table itself plans no query: what its owner put into casts, indexes, domains and policies is not
 * evaluated, whoever reads. In the place of a table that became a view it is refused.
 */
export async function readRows(client: Client, history: History): Promise<HistoryRow[]> {
  const found: HistoryRow[] = [];
  for await (const line of copyLines(client, `COPY ${history.name} (${list(history.columns)}) TO STDOUT`))
    found.push(rowOf(history, line.split('\t')));
  return found;
}

/** As `readRows`, with where each row lies and the transaction that wrote it. It plans: for who has no more rights than to read. */
export async function readPlaces(
  client: Client,
  history: History,
): Promise<{ ctid: string; xmin: string; row: HistoryRow }[]> {
  const found: { ctid: string; xmin: string; row: HistoryRow }[] = [];
  const all = `COPY (SELECT ctid, xmin, ${list(history.columns)} FROM ONLY ${history.name}) TO STDOUT`;
  for await (const line of copyLines(client, all)) {
    const [ctid = '', xmin = '', ...values] = line.split('\t');
    found.push({ ctid, xmin, row: rowOf(history, values) });
  }
  return found;
}

/** A column that is not here is left out, and one that the rows lack has its default. */
export async function writeRows(client: Client, history: History, written: readonly HistoryRow[]): Promise<void> {
  for (const [columns, some] of Map.groupBy(written, (row) => list(history.columns.filter((name) => name in row)))) {
    const lines = some.map((row) =>
      history.columns.flatMap((name) => (name in row ? [row[name] ?? none] : [])).join('\t'),
    );
    const text = lines.map((line) => `${line}\n`).join('');
    await pipeline([text], client.query(copyFrom(`COPY ${history.name} (${columns}) FROM STDIN`)));
  }
}

/** The same for the same values, whatever order the columns have. */
export function rowText(row: HistoryRow): string {
  const named = Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${named.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(', ')}}`;
}

const none = '\\N';

function rowOf({ columns }: History, values: readonly string[]): HistoryRow {
  return Object.fromEntries(
    columns.map((name, place) => [name, values[place] === none ? null : (values[place] ?? '')]),
  );
}

const list = (columns: readonly string[]): string => columns.map((name) => ident(name)).join(', ');
