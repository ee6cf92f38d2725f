import type { Client } from '../client.ts';
import { readPlaces, type History, type HistoryRow } from './rows.ts';

/**
 * The migrations that transactions were of, as the tool names them in its histories: a tool writes a migration down in
 * the migration's own transaction, or in one that follows it. Where all that was pending is one transaction, or the
 * history is one row, it is known only which they were together. For who has no more rights than to read.
 */
export async function recordedWith(
  reader: Client,
  histories: readonly History[],
  transactions: readonly string[],
): Promise<string[]> {
  const named = new Set<string>();
  for (const history of histories) {
    const recorded = await readPlaces(reader, history);
    for (const transaction of transactions) {
      const behind = recorded.map(({ xmin, row }) => ({ row, distance: distance(transaction, xmin) }));
      const next = Math.min(...behind.map((one) => one.distance));
      if (next >= half) continue;
      for (const { row } of behind.filter((one) => one.distance === next))
        named.add(recorded.length === 1 ? `${label(row)} or an earlier one` : label(row));
    }
  }
  return [...named].toSorted();
}

const half = 2 ** 31;

/** Numbers of transactions wrap: what is more than half of them ahead is behind. */
function distance(from: string, to: string): number {
  return (Number(to) - Number(from)) >>> 0;
}

const names = [
  ...['script', 'migration_name', 'filename', 'migration', 'MigrationId', 'change', 'name'],
  ...['version_num', 'version', 'version_id', 'hash', 'id'],
];

/** Flyway's script, Django's app and name, Liquibase's file and id. */
function label(row: HistoryRow): string {
  const key = names.find((one) => typeof row[one] === 'string') ?? '';
  const parts = [row['app'], row[key], key === 'filename' ? row['id'] : undefined];
  return parts.filter((part) => part !== undefined && part !== null).join(' ');
}
