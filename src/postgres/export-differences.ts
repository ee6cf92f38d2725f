import type { Writable } from 'node:stream';
import { label, ownRows, type Table } from './catalogue.ts';
import { rows, type Client } from './client.ts';
import { columnText } from './column-text.ts';
import { copyLines } from './copy-lines.ts';
import type { LostRow } from './lost-rows.ts';
import { hasMore, writtenSince } from './more-columns.ts';

export interface TablePair {
  /** Undefined where the colour that is gone back to has no such table: then all rows are lost. */
  readonly kept: Table | undefined;
  readonly lost: Table;
  readonly columns: readonly string[];
  /** Of a table or of columns that only `lost` has: rows written by this transaction or a later one. Without it all. */
  readonly since?: string | undefined;
}

/** Rows that differ on the colour that is given up than on the one that is gone back to. */
export interface LossCount {
  readonly table: string;
  inserted: number;
  updated: number;
  deleted: number;
}

interface Entry {
  readonly order: bigint;
  /** The key's text, in hexadecimal. */
  readonly key: string;
  readonly digest: string;
  /** It has a value in a column that the other colour lacks. */
  readonly more: boolean;
  readonly at: Place;
}

/**
 * Where a row lies while nobody writes: by this it is found again whatever its columns are, and of equal rows each is
 * one.
 */
interface Place {
  readonly tableoid: string;
  readonly ctid: string;
}

interface Change {
  readonly kind: 'inserted' | 'updated' | 'deleted';
  readonly lost?: Place;
  readonly kept?: Place;
}

/** Rows fetched at once for the export. */
const batch = 500;

/**
 * Compares a table on both colours row by row and writes what only `lost` has, as JSON lines, to `out` where it is
 * given: rows inserted and updated there, and rows deleted there. Both sides must stand still for an exact answer.
 * Streams in the order of a hash of the key, so that memory does not grow with the table but with what differs.
 */
export async function exportDifferences(
  kept: Client,
  lost: Client,
  pair: TablePair,
  out?: Writable,
  database?: string,
): Promise<LossCount> {
  const { columns } = pair;
  const key =
    pair.lost.primaryKey.length > 0 && pair.lost.primaryKey.every((name) => columns.includes(name))
      ? pair.lost.primaryKey
      : columns;
  const count: LossCount = { table: label(pair.lost), inserted: 0, updated: 0, deleted: 0 };
  const changed: Change[] = [];
  const left = entries(kept, pair.kept, key, columns, 'false');
  const right = entries(lost, pair.lost, key, columns, await hasMore(lost, pair), pair.since);
  let a = await left.next();
  let b = await right.next();
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compare(a.value, b.value);
    if (order === 0 && !a.done && !b.done) {
      if (a.value.digest !== b.value.digest || b.value.more)
        changed.push({ kind: 'updated', lost: b.value.at, kept: a.value.at });
      a = await left.next();
      b = await right.next();
    } else if (order < 0 && !a.done) {
      changed.push({ kind: 'deleted', kept: a.value.at });
      a = await left.next();
    } else if (!b.done) {
      changed.push({ kind: 'inserted', lost: b.value.at });
      b = await right.next();
    }
  }
  for (const { kind } of changed) count[kind]++;
  if (out) await write(lost, kept, { ...pair, database }, changed, out);
  return count;
}

function compare(a: Entry, b: Entry): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
}

async function* entries(
  client: Client,
  table: Table | undefined,
  key: readonly string[],
  columns: readonly string[],
  more: string,
  since?: string,
): AsyncGenerator<Entry, undefined> {
  if (!table) return undefined;
  // A function takes 100 arguments, a table has up to 1,600 columns.
  const text = (names: readonly string[]): string =>
    `ARRAY[${names.map((name) => columnText('r', name)).join(', ')}]::text[]::text`;
  const all = `COPY (
    SELECT hashtextextended(k, 0), encode(convert_to(k, 'UTF8'), 'hex'), md5(v), m, o, c
    FROM (SELECT ${text(key)} AS k, ${text(columns)} AS v, ${more} AS m, r.tableoid AS o, r.ctid AS c FROM ${ownRows(table)} r WHERE ${writtenSince(since)}) q
    ORDER BY 1, k COLLATE "C") TO STDOUT`;
  for await (const line of copyLines(client, all)) {
    const [order = '0', hex = '', digest = '', own = '', tableoid = '', ctid = ''] = line.split('\t');
    yield { order: BigInt(order), key: hex, digest, more: own === 't', at: { tableoid, ctid } };
  }
  return undefined;
}

async function write(
  lost: Client,
  kept: Client,
  pair: TablePair & { readonly database: string | undefined },
  changed: readonly Change[],
  out: Writable,
): Promise<void> {
  for (let start = 0; start < changed.length; start += batch) {
    const some = changed.slice(start, start + batch);
    const there = await fetch(
      lost,
      pair.lost,
      some.flatMap((change) => change.lost ?? []),
    );
    const before = await fetch(
      kept,
      pair.kept,
      some.flatMap((change) => change.kept ?? []),
    );
    for (const change of some) {
      const line: LostRow = {
        table: label(pair.lost),
        ...(pair.database === undefined ? {} : { database: pair.database }),
        relation: [pair.lost.schema, pair.lost.name],
        kind: change.kind,
        ...(change.lost ? { row: found(there, change.lost) } : {}),
        ...(change.kept ? { before: found(before, change.kept) } : {}),
      };
      if (!out.write(`${JSON.stringify(line)}\n`)) await new Promise((resolve) => out.once('drain', resolve));
    }
  }
}

type Values = NonNullable<LostRow['row']>;

function found(all: ReadonlyMap<string, Values>, at: Place): Values {
  const row = all.get(nameOf(at));
  if (!row) throw new Error('a row moved while it was exported: somebody writes to what is closed');
  return row;
}

function nameOf({ tableoid, ctid }: Place): string {
  return `${tableoid} ${ctid}`;
}

/**
 * Whole rows, each value as PostgreSQL's own text: no number goes through JavaScript's, and no value through a type of
 * JSON.
 */
async function fetch(client: Client, table: Table | undefined, places: readonly Place[]): Promise<Map<string, Values>> {
  const result = new Map<string, Values>();
  if (!table) return result;
  const { columns } = table;
  for (const [tableoid, some] of Map.groupBy(places, (place) => place.tableoid)) {
    const seen = await rows<{ ctid: string; values: (string | null)[] }>(
      client,
      `SELECT r.ctid::text AS ctid, ARRAY[${columns.map(({ name }) => columnText('r', name)).join(', ')}]::text[] AS values
      FROM ${ownRows(table)} r WHERE r.tableoid = $1::oid AND r.ctid = ANY ($2::tid[])`,
      [tableoid, some.map(({ ctid }) => ctid)],
    );
    for (const { ctid, values } of seen)
      result.set(
        nameOf({ tableoid, ctid }),
        Object.fromEntries(columns.map(({ name }, place) => [name, values[place] ?? null])),
      );
  }
  return result;
}
