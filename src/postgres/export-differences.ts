import type { Writable } from 'node:stream';
import { to as copyTo } from 'pg-copy-streams';
import { label, qualified, type Table } from './catalogue.ts';
import { rows, type Client } from './client.ts';
import { ident } from './quote.ts';

export interface TablePair {
  readonly kept: Table;
  readonly lost: Table;
  readonly columns: readonly string[];
}

/** Rows that stand otherwise on the colour that is given up than on the one that is gone back to. */
export interface LossCount {
  readonly table: string;
  inserted: number;
  updated: number;
  deleted: number;
}

interface Entry {
  readonly order: bigint;
  readonly key: string;
  readonly digest: string;
}

/** Rows fetched at once for the export. */
const batch = 500;

/**
 * Compares a table on both colours row by row and writes what only `lost` has, as JSON lines, to `out` where it is given: rows
 * inserted and updated there, and rows deleted there. Both sides must stand still for an exact answer. Streams in the order of
 * a hash of the key, so that memory does not grow with the table.
 */
export async function exportDifferences(
  kept: Client,
  lost: Client,
  pair: TablePair,
  out?: Writable,
): Promise<LossCount> {
  const { columns } = pair;
  const key =
    pair.lost.primaryKey.length > 0 && pair.lost.primaryKey.every((name) => columns.includes(name))
      ? pair.lost.primaryKey
      : columns;
  const count: LossCount = { table: label(pair.lost), inserted: 0, updated: 0, deleted: 0 };
  const changed: { key: string; kind: 'inserted' | 'updated' | 'deleted' }[] = [];
  const left = entries(kept, pair.kept, key, columns);
  const right = entries(lost, pair.lost, key, columns);
  let a = await left.next();
  let b = await right.next();
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compare(a.value, b.value);
    if (order === 0 && !a.done && !b.done) {
      if (a.value.digest !== b.value.digest) changed.push({ key: b.value.key, kind: 'updated' });
      a = await left.next();
      b = await right.next();
    } else if (order < 0 && !a.done) {
      changed.push({ key: a.value.key, kind: 'deleted' });
      a = await left.next();
    } else if (!b.done) {
      changed.push({ key: b.value.key, kind: 'inserted' });
      b = await right.next();
    }
  }
  for (const { kind } of changed) count[kind]++;
  if (out) await write(lost, kept, pair, key, changed, out);
  return count;
}

function compare(a: Entry, b: Entry): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
}

async function* entries(
  client: Client,
  table: Table,
  key: readonly string[],
  columns: readonly string[],
): AsyncGenerator<Entry, undefined> {
  const text = (names: readonly string[]): string =>
    `jsonb_build_array(${names.map((name) => `${ident(name)}::text`).join(', ')})::text`;
  const stream = client.query(
    copyTo(`COPY (
    SELECT hashtextextended(k, 0), encode(convert_to(k, 'UTF8'), 'hex'), md5(v)
    FROM (SELECT ${text(key)} AS k, ${text(columns)} AS v FROM ${qualified(table)}) t ORDER BY 1, k COLLATE "C") TO STDOUT`),
  );
  for await (const line of linesOf(stream)) {
    const [order = '0', hex = '', digest = ''] = line.split('\t');
    yield { order: BigInt(order), key: Buffer.from(hex, 'hex').toString('utf8'), digest };
  }
  return undefined;
}

/** Lines of a stream that may have ended before they are asked for: readline's own iterator throws then ("readline was closed"). */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
  return undefined;
}

async function write(
  lost: Client,
  kept: Client,
  pair: TablePair,
  key: readonly string[],
  changed: readonly { key: string; kind: string }[],
  out: Writable,
): Promise<void> {
  for (let start = 0; start < changed.length; start += batch) {
    const some = changed.slice(start, start + batch);
    const there = await fetch(
      lost,
      pair.lost,
      key,
      some.filter(({ kind }) => kind !== 'deleted').map((entry) => entry.key),
    );
    const before = await fetch(
      kept,
      pair.kept,
      key,
      some.filter(({ kind }) => kind !== 'inserted').map((entry) => entry.key),
    );
    for (const entry of some) {
      const line = {
        table: label(pair.lost),
        kind: entry.kind,
        key: JSON.parse(entry.key) as unknown,
        ...(there.has(entry.key) ? { row: there.get(entry.key) } : {}),
        ...(before.has(entry.key) ? { before: before.get(entry.key) } : {}),
      };
      if (!out.write(`${JSON.stringify(line)}\n`)) await new Promise((resolve) => out.once('drain', resolve));
    }
  }
}

async function fetch(
  client: Client,
  table: Table,
  key: readonly string[],
  keys: readonly string[],
): Promise<Map<string, unknown>> {
  if (keys.length === 0) return new Map();
  const types = key.map((name) => table.columns.find((column) => column.name === name)?.type ?? 'text');
  const matches = key.map(
    (name, place) => `t.${ident(name)} IS NOT DISTINCT FROM (k.key ->> ${place})::${types[place]}`,
  );
  const found = await rows<{ key: string; row: unknown }>(
    client,
    `
    SELECT DISTINCT ON (k.key) k.key::text AS key, to_jsonb(t) AS row FROM jsonb_array_elements($1::jsonb) AS k(key) JOIN ${qualified(table)} t ON ${matches.join(' AND ')}`,
    [`[${keys.join(',')}]`],
  );
  return new Map(found.map(({ key: name, row }) => [name, row]));
}
