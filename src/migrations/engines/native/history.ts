import { VerdigrisError } from '../../../model/errors.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import { literal } from '../../../postgres/quote.ts';
import { changed } from '../sql/refusals.ts';
import type { SqlFile } from '../sql/file.ts';
import { findHistory } from './find.ts';
import type { Format } from './format.ts';
import { onTable, type ToolHistory } from './tool-history.ts';
import { halfDone } from '../sql/refusals.ts';

interface Ran {
  readonly key: string;
  readonly sum: string | null;
  readonly whole: boolean;
}

/** Those of the files that the tool's own history has. */
export async function ranByTool(
  client: Client,
  format: Format,
  history: ToolHistory,
  files: readonly SqlFile[],
  declared?: string,
): Promise<ReadonlySet<SqlFile>> {
  const table = await findHistory(client, format, history, declared);
  const ran = table === undefined ? [] : await rows<Ran>(client, onTable(history.applied, table));
  const broken = ran.find(({ whole }) => !whole);
  if (broken) {
    throw halfDone(
      `${format.name} says in ${table} that ${broken.key} began and did not end.`,
      `see what of it is there, and let ${format.name} say so on the live colour (golang-migrate: \`force\`); ` +
        'abandon a candidate that was seeded before.',
    );
  }
  if (history.upToNewest) refuseUnordered(history, files);
  const known = new Map(ran.map((each) => [each.key, each.sum]));
  const newest = history.upToNewest && ran.length > 0 ? highest(ran.map(({ key }) => key)) : undefined;
  return new Set(
    files.filter((file) => {
      const key = history.keyOf(file);
      const sum = known.get(key);
      if (sum != null && history.sumOf && history.sumOf(file) !== sum) throw changed(file, history.sumOf(file), sum);
      return newest === undefined ? known.has(key) : BigInt(key) <= newest;
    }),
  );
}

function highest(keys: readonly string[]): bigint {
  return keys.map(BigInt).reduce((most, key) => (key > most ? key : most));
}

/**
 * What a tool takes by its place behind the newest is left out for ever where the places are not in the order of the
 * files.
 */
function refuseUnordered({ keyOf }: ToolHistory, files: readonly SqlFile[]): void {
  const at = files.findIndex((file, index) => {
    const before = files[index - 1];
    return before !== undefined && BigInt(keyOf(file)) <= BigInt(keyOf(before));
  });
  const [before, file] = [files[at - 1], files[at]];
  if (!before || !file) return;
  throw new VerdigrisError('migration-out-of-order', {
    seen: `${file.entry} is behind ${before.entry} by its name and not by its time (${keyOf(file)}, ${keyOf(before)}): its tool would leave it out.`,
    required: 'files whose times go up with their names.',
    next: 'generate the later one again with the tool.',
  });
}

/** Writes down that a file has run, as the tool would. Inside the caller's transaction. */
export async function recordRan(client: Client, history: ToolHistory, table: string, file: SqlFile): Promise<void> {
  if (history.single) await client.query(`DELETE FROM ${table}`);
  const optional = history.may ?? [];
  const there = optional.length === 0 ? [] : await columnsOf(client, table);
  const cells = Object.entries(history.row(file)).filter(([name]) => !optional.includes(name) || there.includes(name));
  const columns = cells.map(([name]) => name).join(', ');
  const values = cells.map((_, index) => `$${index + 1}`).join(', ');
  await client.query(
    `INSERT INTO ${table} (${columns}) VALUES (${values})`,
    cells.map(([, value]) => value),
  );
}

async function columnsOf(client: Client, table: string): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT attname AS name FROM pg_catalog.pg_attribute WHERE attrelid = ${literal(table)}::regclass AND attnum > 0 AND NOT attisdropped`,
  );
  return found.map(({ name }) => name);
}
