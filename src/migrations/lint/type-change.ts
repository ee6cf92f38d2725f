import type { ColumnType } from './column-type.ts';

/**
 * `index`: no row, but the indexes of the column. `utc`: none while the session's TimeZone is UTC, else the whole
 * table. Measured on PostgreSQL 15 and 17.
 */
export type RewriteKind = 'none' | 'index' | 'table' | 'utc';

/** Pairs that PostgreSQL relabels without touching a row, where the new type has no length. */
const relabelled = new Set([
  'varchar text',
  'text varchar',
  'varchar bpchar',
  'text bpchar',
  'cidr inet',
  'xml text',
  'xml varchar',
]);

/** Pairs that PostgreSQL relabels too, whose values compare otherwise: indexes on the column are built again. */
const reindexed = new Set([
  'bit varbit',
  'int4 oid',
  'oid int4',
  'regclass oid',
  'oid regclass',
  'int4 regclass',
  'regclass int4',
  'text citext',
  'varchar citext',
  'bpchar citext',
  'citext text',
  'citext varchar',
  'citext bpchar',
]);

/** Types whose length or precision may grow in place. */
const growing = new Set(['varchar', 'varbit', 'timestamp', 'timestamptz', 'time', 'timetz']);

/** What ALTER COLUMN TYPE does to the rows, where the USING clause changes no value. */
export function rewriteOf(from: ColumnType, to: ColumnType): RewriteKind {
  if (same(from, to)) return 'none';
  if (from.array || to.array) return 'table';
  const pair = `${from.base} ${to.base}`;
  if (pair === 'timestamp timestamptz' || pair === 'timestamptz timestamp')
    return to.parameters.length === 0 ? 'utc' : 'table';
  if (reindexed.has(pair)) return to.parameters.length === 0 ? 'index' : 'table';
  if (relabelled.has(pair)) return to.parameters.length === 0 ? 'none' : 'table';
  if (from.base !== to.base) return 'table';
  if (from.base === 'interval') return intervalRewrite(from, to);
  if (to.parameters.length === 0) return from.base === 'bpchar' ? 'table' : 'none';
  const [oldSize = fullPrecision(from.base), oldScale] = from.parameters;
  const [newSize = 0, newScale] = to.parameters;
  if (from.base === 'numeric') return oldScale === newScale && newSize >= oldSize ? 'none' : 'table';
  return growing.has(from.base) && newSize >= oldSize ? 'none' : 'table';
}

/** interval_support() of PostgreSQL's source: fields may not go, nor digits. Six digits are all there are. */
function intervalRewrite(from: ColumnType, to: ColumnType): RewriteKind {
  const [old = 6, next = 6] = [from.parameters[0], to.parameters[0]];
  const fields = to.fields === undefined || to.fields === from.fields;
  return fields && next >= old ? 'none' : 'table';
}

/** Times without a precision have six digits; text without a length has no bound. */
function fullPrecision(base: string): number {
  return base.startsWith('time') || base === 'interval' ? 6 : Number.POSITIVE_INFINITY;
}

export function same(from: ColumnType, to: ColumnType): boolean {
  return (
    from.base === to.base &&
    from.array === to.array &&
    from.fields === to.fields &&
    from.parameters.join() === to.parameters.join()
  );
}

/** Each type's values, as text, are values of those after it in its line. */
const ladders: readonly (readonly string[])[] = [
  ['int2', 'int4', 'int8', 'numeric'],
  ['float4', 'float8'],
  ['date', 'timestamp'],
  ['cidr', 'inet'],
  ['json', 'jsonb'],
  ['bit', 'varbit'],
];

const textual = new Set(['text', 'varchar', 'bpchar']);

/**
 * Whether every value of one type, sent as text as logical replication does, is taken by the other and means the same.
 */
export function carries(from: ColumnType, to: ColumnType): boolean {
  if (same(from, to)) return true;
  if (from.array !== to.array) return false;
  if (to.base === 'text' || (to.base === 'varchar' && to.parameters.length === 0))
    return !from.array || textual.has(from.base);
  if (from.base === to.base) return fits(from, to);
  if (textual.has(from.base) && textual.has(to.base)) return length(from) <= length(to);
  if (from.base === 'jsonb' && to.base === 'json') return true;
  const ladder = ladders.find((line) => line.includes(from.base) && line.includes(to.base));
  if (!ladder || ladder.indexOf(from.base) > ladder.indexOf(to.base)) return false;
  return (
    to.base !== 'numeric' ||
    to.parameters.length === 0 ||
    (to.parameters[0] ?? 0) - (to.parameters[1] ?? 0) >= digits(from.base)
  );
}

function length(type: ColumnType): number {
  return type.parameters[0] ?? Number.POSITIVE_INFINITY;
}

function fits(from: ColumnType, to: ColumnType): boolean {
  const [oldSize = fullPrecision(from.base), oldScale = 0] = from.parameters;
  const [newSize = fullPrecision(to.base), newScale = 0] = to.parameters;
  if (to.fields !== undefined && to.fields !== from.fields) return false;
  if (from.base !== 'numeric') return newSize >= oldSize;
  return to.parameters.length === 0 || (newScale >= oldScale && newSize - newScale >= oldSize - oldScale);
}

function digits(base: string): number {
  return base === 'int2' ? 5 : base === 'int4' ? 10 : 19;
}
