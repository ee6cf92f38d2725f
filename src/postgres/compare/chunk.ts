import { comparedByKey } from '../key-order.ts';
import { ident } from '../quote.ts';
import { one, rows, type Client } from '../client.ts';
import { keyColumns, type Subject } from './subject.ts';
import { textOf } from './text.ts';
import type { CompareSide } from './types.ts';

/** Key values as text, in key order. */
export type Bound = readonly string[];

/**
 * Rows with `after < key <= upTo`; undefined is open, so that nothing below the first or beyond the last boundary is
 * left out.
 */
export interface Chunk {
  readonly after: Bound | undefined;
  readonly upTo: Bound | undefined;
}

export const wholeTable: Chunk = { after: undefined, upTo: undefined };

/** Pages that are read for one boundary: enough that chunks differ in size by tenths and not by factors. */
const pagesPerBoundary = 16;

/**
 * Boundaries that cut the live table into about `count` chunks, from the keys on a few of its pages: an exact walk of
 * the index would cost a quarter of the whole comparison, and equal sizes are not needed. Any boundaries cover the
 * table exactly.
 */
export async function cutChunks(live: Client, subject: Subject, count: number): Promise<Chunk[]> {
  if (!subject.ordered || count <= 1) return [wholeTable];
  const percent = Math.min(
    100,
    Math.max(0.000_1, (100 * Math.max(64, count * pagesPerBoundary)) / Math.max(1, subject.bytes / 8192)),
  );
  const names = subject.key.map((_, index) => `k${index + 1}`);
  const result = await live.query<string[]>({
    rowMode: 'array',
    values: [percent, count],
    text: `SELECT ${subject.key.map(({ builtIn }, index) => textOf(`k${index + 1}`, builtIn)).join(', ')}
      FROM (SELECT ${subject.key.map((column, index) => `t.${ident(column.name)} AS ${names[index]}`).join(', ')},
          row_number() OVER (ORDER BY ${keyColumns(subject)}) AS place, count(*) OVER () AS total
        FROM ${subject.table.live} t TABLESAMPLE SYSTEM ($1) REPEATABLE (1)) s
      WHERE place < total AND place * $2::int8 / total > (place - 1) * $2::int8 / total
      ORDER BY place`,
  });
  const bounds: (Bound | undefined)[] = [undefined, ...result.rows, undefined];
  return bounds.slice(1).map((upTo, index) => ({ after: bounds[index], upTo }));
}

/** The WHERE condition of a chunk on one side, its values to be bound from `$first` on. */
export function chunkCondition(
  subject: Subject,
  side: CompareSide,
  chunk: Chunk,
  first: number,
): { readonly sql: string; readonly values: readonly string[] } {
  const values: string[] = [];
  const compare = (operator: '<=' | '>', bound: Bound | undefined) => {
    if (!bound) return [];
    const key = subject.key.map(({ name, type, order }, index) => {
      values.push(bound[index] as string);
      return { name, value: `$${first + values.length - 1}::text::${type[side]}`, order: order[side] };
    });
    return [comparedByKey(key, operator, 't.')];
  };
  const parts = [...compare('>', chunk.after), ...compare('<=', chunk.upTo)];
  return { sql: parts.length > 0 ? parts.join(' AND ') : 'true', values };
}

export interface Digest {
  readonly rows: number;
  /** Sum of the row hashes, exact: sum(int8) does not wrap round. Equal for the same rows in any order. */
  readonly sum: string;
}

export async function digestChunk(client: Client, subject: Subject, side: CompareSide, chunk: Chunk): Promise<Digest> {
  const { sql, values } = chunkCondition(subject, side, chunk, 1);
  return one<Digest>(
    client,
    `SELECT count(*)::float8 AS rows, coalesce(sum(${subject.rowHash}), 0)::text AS sum FROM ${subject.table[side]} t WHERE ${sql}`,
    values,
  );
}

/** Digests of the chunk's rows by the low bits of the key's hash; `buckets` is a power of two. */
export async function digestBuckets(
  client: Client,
  subject: Subject,
  side: CompareSide,
  chunk: Chunk,
  buckets: number,
): Promise<Map<number, Digest>> {
  const { sql, values } = chunkCondition(subject, side, chunk, 2);
  const found = await rows<Digest & { bucket: number }>(
    client,
    `
    SELECT (${subject.keyHash} & $1::int8)::int4 AS bucket, count(*)::float8 AS rows, sum(${subject.rowHash})::text AS sum
    FROM ${subject.table[side]} t WHERE ${sql} GROUP BY 1`,
    [buckets - 1, ...values],
  );
  return new Map(found.map(({ bucket, rows: count, sum }) => [bucket, { rows: count, sum }]));
}
