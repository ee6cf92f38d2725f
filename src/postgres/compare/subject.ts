import { label, qualified } from '../catalogue.ts';
import type { Order } from '../key-order.ts';
import { ident } from '../quote.ts';
import type { ColumnFacts, TableFacts } from './facts.ts';
import { columnHash, rowHash } from './hash.ts';
import { isBuiltIn } from './text.ts';
import type { CompareSide, TableMapping } from './types.ts';

/** A column that identifies rows, with its type on each side for casts. */
export interface KeyColumn {
  readonly name: string;
  readonly type: Readonly<Record<CompareSide, string>>;
  /** On both sides a type of PostgreSQL's own, or a domain over one. */
  readonly builtIn: boolean;
  readonly order: Readonly<Record<CompareSide, Order | null>>;
}

/**
 * One table made ready for comparison: the SQL fragments that every statement about it is built from, over the alias
 * `t`.
 */
export interface Subject {
  readonly label: string;
  readonly table: Readonly<Record<CompareSide, string>>;
  /** Empty: rows are identified by their own hash, and counted. */
  readonly key: readonly KeyColumn[];
  /** Whether a range of the key means the same set of values on both sides, and an index of the live side serves it. */
  readonly ordered: boolean;
  readonly rowHash: string;
  readonly keyHash: string;
  readonly columnHashes: readonly { readonly name: string; readonly sql: string }[];
  readonly bytes: number;
  readonly rows: number;
}

export function makeSubject(mapping: TableMapping, live: TableFacts, candidate: TableFacts): Subject {
  const columns = mapping.columns.map((name, index) => {
    const facts = pick(mapping, name, live, candidate);
    return { name, ...facts, sql: columnHash(facts.live, facts.candidate, index + 1) };
  });
  const wanted = mapping.live.primaryKey.length > 0 ? mapping.live.primaryKey : mapping.live.identity;
  const found = wanted.map((name) => columns.find((column) => column.name === name));
  const key = found.every((column) => column !== undefined) ? found : [];
  const whole = rowHash(columns.map((column) => column.sql));
  return {
    label: label(mapping.live),
    table: { live: qualified(mapping.live), candidate: qualified(mapping.candidate) },
    key: key.map((column) => ({
      name: column.name,
      type: { live: column.live.type, candidate: column.candidate.type },
      builtIn: isBuiltIn(column.live.base) && isBuiltIn(column.candidate.base),
      order: { live: column.live.order, candidate: column.candidate.order },
    })),
    ordered: key.length > 0 && key.every((column) => sameOrder(column.live, column.candidate)),
    rowHash: whole,
    keyHash: key.length > 0 ? rowHash(key.map((column) => column.sql)) : whole,
    columnHashes: columns.map(({ name, sql }) => ({ name, sql })),
    bytes: live.bytes,
    rows: Math.max(0, mapping.live.estimatedRows),
  };
}

function pick(
  mapping: TableMapping,
  name: string,
  live: TableFacts,
  candidate: TableFacts,
): { live: ColumnFacts; candidate: ColumnFacts } {
  const [left, right] = [live.columns.get(name), candidate.columns.get(name)];
  if (!left || !right) throw new Error(`column ${name} of ${label(mapping.live)} is not on both sides`);
  return { live: left, candidate: right };
}

const integers = ['int2', 'int4', 'int8'];
const texts = ['text', 'varchar'];

/**
 * Text is ordered by its collation, which may differ in name, provider or version of the library; then a boundary cuts
 * the two sides at different rows, and the table is compared in buckets of the key's hash instead.
 */
function sameOrder(live: ColumnFacts, candidate: ColumnFacts): boolean {
  const family =
    live.base === candidate.base ||
    (integers.includes(live.base) && integers.includes(candidate.base)) ||
    (texts.includes(live.base) && texts.includes(candidate.base));
  return family && live.collation === candidate.collation && live.labels === candidate.labels;
}

/** `t."a", t."b"`. */
export function keyColumns(subject: Subject): string {
  return subject.key.map((column) => `t.${ident(column.name)}`).join(', ');
}
