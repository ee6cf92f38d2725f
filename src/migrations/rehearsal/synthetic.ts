import { label, qualified, readTables, type Table } from '../../postgres/catalogue.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { ident } from '../../postgres/quote.ts';
import { startClients, type Piece } from './clients.ts';
import { noLoad, type Load } from './load.ts';

export interface SyntheticOptions {
  readonly as: (role: string) => ConnectionSettings;
  readonly role: string;
  readonly touched: ReadonlySet<string>;
  readonly clients: number;
  readonly rate: number;
}

/** Keys kept of each table. */
const keysKept = 500;
/** Tables used besides those that the migrations name, the largest first. */
const others = 10;

interface Target {
  readonly table: Table;
  readonly keys: readonly (readonly string[])[];
  readonly update: string | undefined;
}

/**
 * Reads by key, and updates in place that change nothing, on the tables that the migrations touch and the largest of
 * the others: what any application does, without inventing data. Every update still takes the row's lock, fires its
 * triggers and writes WAL.
 */
export async function syntheticLoad(client: Client, options: SyntheticOptions): Promise<Load> {
  const tables = (await readTables(client))
    .filter(({ primaryKey }) => primaryKey.length > 0)
    .toSorted((a, b) => b.bytes - a.bytes);
  const touched = tables.filter(({ oid }) => options.touched.has(String(oid)));
  const rest = tables.filter((table) => !touched.includes(table)).slice(0, others);
  const [hot, cold] = [await targets(client, touched, options.role), await targets(client, rest, options.role)];
  const all = [...hot, ...cold];
  if (all.length === 0) return noLoad(`no table with rows and a primary key that ${options.role} may read`);
  let turn = 0;
  // Three in four on what the migrations touch; one in three of all an update.
  const next = (): Piece => {
    const place = turn++;
    const from = hot.length > 0 && (cold.length === 0 || place % 4 < 3) ? hot : cold;
    return piece(from[place % from.length] as Target, place);
  };
  const running = startClients({
    rate: options.rate,
    clients: options.clients,
    roles: [{ as: options.as(options.role), next }],
  });
  return {
    kind: 'synthetic',
    clients: options.clients,
    endedEarly: undefined,
    ...running,
    detail: `reads and in-place updates by key as ${options.role}, ${options.rate} a second, on ${all.map(({ table }) => label(table)).join(', ')}`,
  };
}

function piece({ table, keys, update }: Target, place: number): Piece {
  // A stride that is prime to the number of keys spreads over all of them.
  const values = keys[(place * 7919) % keys.length] ?? [];
  const where = table.primaryKey.map((column, index) => `${ident(column)} = $${index + 1}`).join(' AND ');
  return {
    values,
    text:
      place % 3 === 0 && update !== undefined
        ? `UPDATE ${qualified(table)} SET ${ident(update)} = ${ident(update)} WHERE ${where}`
        : `SELECT * FROM ${qualified(table)} WHERE ${where}`,
  };
}

async function targets(client: Client, tables: readonly Table[], role: string): Promise<Target[]> {
  const found: Target[] = [];
  for (const table of tables) {
    const { reads } = await one<{ reads: boolean }>(
      client,
      'SELECT has_table_privilege($1, $2::oid, $3) AND has_schema_privilege($1, $4::text, $5) AS reads',
      [role, table.oid, 'SELECT', table.schema, 'USAGE'],
    );
    if (!reads) continue;
    const keys = await someKeys(client, table);
    if (keys.length > 0) found.push({ table, keys, update: await updatable(client, table, role) });
  }
  return found;
}

/**
 * From blocks all over the table, since its first ones are seldom those in use; as text, which every type reads back.
 */
async function someKeys(client: Client, table: Table): Promise<string[][]> {
  const columns = table.primaryKey.map((column, index) => `${ident(column)}::text AS k${index}`).join(', ');
  const share = Math.min(100, (100 * keysKept * 3) / Math.max(1, table.estimatedRows));
  const read = (sample: string): Promise<Record<string, string>[]> =>
    rows(client, `SELECT ${columns} FROM ${qualified(table)} ${sample} LIMIT ${keysKept}`);
  const sampled = table.estimatedRows > 10_000 ? await read(`TABLESAMPLE SYSTEM (${share})`) : [];
  return (sampled.length > 0 ? sampled : await read('')).map((row) => Object.values(row));
}

/** A column that may be set to itself: not of the key, not generated, not always an identity. */
async function updatable(client: Client, table: Table, role: string): Promise<string | undefined> {
  const [column] = await rows<{ name: string }>(
    client,
    `
    SELECT attname AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'
      AND attname <> ALL ($2::text[]) AND has_column_privilege($3, attrelid, attnum, 'UPDATE') ORDER BY attnum LIMIT 1`,
    [table.oid, table.primaryKey, role],
  );
  return column?.name;
}
