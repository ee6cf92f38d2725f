import type { Client } from '../client.ts';
import { compared } from '../key-order.ts';
import { ident } from '../quote.ts';
import { chunkCondition, type Bound, type Chunk } from './chunk.ts';
import type { Subject } from './subject.ts';
import { textOf } from './text.ts';
import type { CompareSide } from './types.ts';

/** What is under one key: `count:sum of row hashes`, so that a doubled row differs as well. */
export type KeyState = string;

/** No row under the key. */
export const absent: KeyState = '0:0';

/** Separates the parts of a key; PostgreSQL's text can't hold it. */
const separator = '\0';

export function keyId(bound: Bound): string {
  return bound.join(separator);
}

export function keyBound(id: string): Bound {
  return id.split(separator);
}

/**
 * The state of each key in some buckets of a chunk. Bounded by the caller, who knows from the digests how many rows
 * come.
 */
export async function readStates(
  client: Client,
  subject: Subject,
  side: CompareSide,
  chunk: Chunk,
  buckets: number,
  chosen: readonly number[],
): Promise<Map<string, KeyState>> {
  const { sql, values } = chunkCondition(subject, side, chunk, 3);
  const parts =
    subject.key.length > 0
      ? subject.key.map(({ name, builtIn }) => textOf(`t.${ident(name)}`, builtIn))
      : [subject.rowHash];
  const result = await client.query<string[]>({
    rowMode: 'array',
    values: [buckets - 1, chosen, ...values],
    text: `SELECT ${parts.map((part) => `(${part})::text`).join(', ')}, count(*)::text || ':' || sum(${subject.rowHash})::text
      FROM ${subject.table[side]} t
      WHERE ${sql} AND (${subject.keyHash} & $1::int8)::int4 = ANY ($2::int4[]) GROUP BY ${parts.map((_, index) => index + 1).join(', ')}`,
  });
  return new Map(result.rows.map((row) => [keyId(row.slice(0, -1)), row.at(-1) as KeyState]));
}

export interface KeyReading {
  readonly state: KeyState;
  /**
   * Changes with every new version of a row (xmin and ctid); null where there is no row, which proves nothing about the
   * time between.
   */
  readonly version: string | null;
}

const nothing: KeyReading = { state: absent, version: null };

/** The rows `t` whose keys are among the texts `k.k1`, `k.k2`, … */
function sameKey({ key }: Subject, side: CompareSide): string {
  return key
    .map(({ name, type, order }, part) =>
      compared(`t.${ident(name)}`, '=', `k.k${part + 1}::${type[side]}`, order[side]),
    )
    .join(' AND ');
}

/**
 * The states of given keys, in their order, by one statement. With `lock`, rows are locked FOR SHARE first and read as
 * they are under the lock; the client must be in a transaction.
 */
export async function lookUp(
  client: Client,
  subject: Subject,
  side: CompareSide,
  keys: readonly Bound[],
  lock = false,
): Promise<KeyReading[]> {
  const width = Math.max(1, subject.key.length);
  const values = Array.from({ length: width }, (_, part) => keys.map((key) => key[part]));
  const names = values.map((_, part) => `k${part + 1}`);
  const on = subject.key.length > 0 ? sameKey(subject, side) : `${subject.rowHash} = k.k1::int8`;
  const result = await client.query<[number, KeyState, string]>({
    rowMode: 'array',
    values,
    text: `SELECT i::int4, count(*)::text || ':' || sum(h)::text, sum(v)::text
      FROM (SELECT k.i, ${subject.rowHash} AS h, hashtextextended(concat_ws(' ', t.tableoid, t.ctid, t.xmin), 0) AS v
        FROM unnest(${values.map((_, part) => `$${part + 1}::text[]`).join(', ')}) WITH ORDINALITY AS k(${names.join(', ')}, i)
        JOIN ${subject.table[side]} t ON ${on}${lock ? ' FOR SHARE OF t' : ''}) s
      GROUP BY i`,
  });
  const found = new Map(result.rows.map(([place, state, version]) => [place, { state, version }]));
  return keys.map((_, index) => found.get(index + 1) ?? nothing);
}

/**
 * For each key, the columns whose hashes differ between two readings of both sides; rows that are absent on one side
 * have none.
 */
export async function readColumnHashes(
  client: Client,
  subject: Subject,
  side: CompareSide,
  keys: readonly Bound[],
): Promise<(readonly string[] | undefined)[]> {
  if (subject.key.length === 0 || keys.length === 0) return keys.map(() => undefined);
  const values = subject.key.map((_, part) => keys.map((key) => key[part]));
  const result = await client.query<[number, string[]]>({
    rowMode: 'array',
    values,
    text: `SELECT k.i::int4, ARRAY[${subject.columnHashes.map((column) => `(${column.sql})::text`).join(', ')}]::text[]
      FROM unnest(${values.map((_, part) => `$${part + 1}::text[]`).join(', ')}) WITH ORDINALITY AS k(${values.map((_, part) => `k${part + 1}`).join(', ')}, i)
      JOIN ${subject.table[side]} t ON ${sameKey(subject, side)}`,
  });
  const found = new Map(result.rows);
  return keys.map((_, index) => found.get(index + 1));
}
