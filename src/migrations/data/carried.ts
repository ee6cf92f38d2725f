import { label, type Table } from '../../postgres/catalogue.ts';
import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { counted } from '../../postgres/counted.ts';
import type { TableScans } from '../../postgres/row-reads.ts';
import { liveAmong } from './judge.ts';
import type { DataStatement, NamedRelation } from './read.ts';

/**
 * By session, and by the OID of a temporary table: a table of the live colour that it is made of. What the text of a
 * file shows is judged by the text; this is for what functions, blocks and earlier files made or filled.
 */
const carried = new WeakMap<Client, Map<number, string>>();

interface Temporary {
  readonly key: string;
  readonly oid: number;
  readonly name: string;
  readonly written: number;
}

/** Runs what may fill temporary tables, and notes what those rest on. */
export async function carrying<T extends readonly TableScans[]>(
  client: Client,
  { fillsSession, reads }: DataStatement,
  live: readonly Table[],
  run: () => Promise<T>,
): Promise<T> {
  const { result: seen, risen } = await counted(['written'], () => temporaries(client), run);
  if (risen.length === 0) return seen;
  const table =
    seen.find(({ table: read }) => live.some((each) => label(each) === read))?.table ??
    (fillsSession ? liveAmong(reads, live) : undefined) ??
    (await carriedAmong(client, [...reads, ...temporaryAmong(seen)]))?.table;
  const known = carried.get(client) ?? new Map<number, string>();
  if (table !== undefined) for (const { oid } of risen) known.set(oid, table);
  carried.set(client, known);
  return seen;
}

/** Of relations as a statement names them, a temporary table that rests on one of the live colour's, and that. */
export async function carriedAmong(
  client: Client,
  relations: readonly NamedRelation[],
): Promise<{ readonly name: string; readonly table: string } | undefined> {
  const known = carried.get(client);
  if (!known?.size || relations.length === 0) return undefined;
  const named = relations.filter(({ schema }) => schema === undefined || schema.startsWith('pg_temp'));
  for (const { oid, name } of await temporaries(client)) {
    const table = named.some((each) => each.name === name) ? known.get(oid) : undefined;
    if (table !== undefined) return { name, table };
  }
  return undefined;
}

export function temporaryAmong(seen: readonly TableScans[]): NamedRelation[] {
  return seen.map(({ table }) => relationOf(table)).filter(({ schema }) => schema?.startsWith('pg_temp_'));
}

/** With what it needs of the session, and rests on by that, where its file does not tell. */
export async function withCarried(client: Client, data: DataStatement): Promise<DataStatement> {
  if (data.fillsSession) return data;
  const found = await carriedAmong(client, [...data.targets, ...data.reads]);
  if (!found) return data;
  return { ...data, reads: [...data.reads, relationOf(found.table)], session: `the temporary table ${found.name}` };
}

function relationOf(table: string): NamedRelation {
  return { schema: table.slice(0, table.indexOf('.')), name: table.slice(table.indexOf('.') + 1) };
}

function temporaries(client: Client): Promise<Temporary[]> {
  return withFixedPath(client, () =>
    rows<Temporary>(
      client,
      `SELECT oid::text AS key, oid::int8::float8 AS oid, relname AS name, (pg_stat_get_xact_tuples_inserted(oid)
        + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid))::float8 AS written
      FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'`,
    ),
  );
}
