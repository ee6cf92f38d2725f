import { VerdigrisError } from '../../model/errors.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import { readHistories, readPlaces, readRows, rowText, writeRows, type History, type HistoryRow } from './rows.ts';

/** What was carried over a connection: under the fence one look tells whether a tool wrote anything since. */
const carried = new WeakMap<Client, { readonly tables: readonly History[]; readonly text: string }>();

/** A session that may write rows and nothing else: constraints, domains and indexes are their owner's code. */
export type AsWriter = <T>(use: (writer: Client) => Promise<T>) => Promise<T>;

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
export async function carryHistories(from: Client, to: Client, asWriter: AsWriter): Promise<number> {
  const before = carried.get(to);
  const tables = before?.tables ?? (await readHistories(from));
  const now = new Map<string, HistoryRow[]>();
  for (const table of tables) now.set(table.name, await readRows(from, table));
  const text = JSON.stringify([...now].map(([name, found]) => [name, found.map(rowText).toSorted()]));
  if (before?.text === text) return 0;
  let count = 0;
  const there = await readHistories(to);
  for (const [name, found] of now) {
    const base = await baseOf(from, name);
    const table = there.find((each) => each.name === name);
    if (base === undefined || table === undefined) continue;
    count += await carry(asWriter, table, base, found);
    await store(from, name, found);
  }
  // Should the writes move, what is written from then on is carried the other way.
  await remember(to, there);
  carried.set(to, { tables, text });
  return count;
}

async function baseOf(client: Client, name: string): Promise<HistoryRow[] | undefined> {
  const [found] = await rows<{ rows: HistoryRow[] }>(
    client,
    'SELECT rows FROM verdigris.tool_history WHERE history = $1',
    [name],
  );
  return found?.rows;
}

async function remember(client: Client, tables: readonly History[]): Promise<void> {
  for (const table of tables) await store(client, table.name, await readRows(client, table));
}

async function store(client: Client, name: string, found: readonly HistoryRow[]): Promise<void> {
  await client.query(
    `INSERT INTO verdigris.tool_history (history, rows) VALUES ($1, $2::jsonb)
    ON CONFLICT (history) DO UPDATE SET rows = excluded.rows`,
    [name, JSON.stringify(found)],
  );
}

/** What is in `now` and not in `base` was written, the other way round taken away. */
async function carry(
  asWriter: AsWriter,
  table: History,
  base: readonly HistoryRow[],
  now: readonly HistoryRow[],
): Promise<number> {
  const [written, gone] = [leftOver(now, base), leftOver(base, now)];
  if (written.length + gone.length === 0) return 0;
  return asWriter((writer) =>
    withTransaction(writer, async () => {
      const there = await readPlaces(writer, table);
      const missing = leftOver(
        written,
        there.map(({ row }) => row),
      );
      const left = Map.groupBy(there, ({ row }) => rowText(row));
      const taken = gone.flatMap((row) => left.get(rowText(row))?.pop()?.ctid ?? []);
      // A row that was changed here and there in different ways has no one successor.
      if (missing.length > 0 && taken.length < gone.length) throw notCarried(table.name, missing);
      await writer.query(`DELETE FROM ONLY ${table.name} WHERE ctid = ANY ($1::tid[])`, [taken]);
      await writeRows(writer, table, missing).catch((cause: unknown) => {
        throw notCarried(table.name, missing, cause);
      });
      return missing.length + taken.length;
    }),
  );
}

/** Of equal rows each takes one away. */
export function leftOver(all: readonly HistoryRow[], others: readonly HistoryRow[]): HistoryRow[] {
  const left = Map.groupBy(others.map(rowText), (text) => text);
  return all.filter((row) => left.get(rowText(row))?.pop() === undefined);
}

function notCarried(table: string, missing: readonly HistoryRow[], cause?: unknown): VerdigrisError {
  return new VerdigrisError('history-not-carried', {
    seen:
      `A migration tool wrote into its history ${table} on the live colour while the release was under way, ` +
      `and what the release's own run wrote on the candidate does not go together with it${cause === undefined ? '' : ` (${(cause as Error).message})`}: ` +
      `${missing.map(rowText).join(', ')}.`,
    required: 'one history of both runs: otherwise the tool would repeat or skip migrations.',
    next: 'nothing was changed, and clients go on. Abandon the candidate and seed again: the new one begins with what has run on the live colour.',
    facts: { table, rows: missing.map(rowText) },
    cause,
  });
}
