import type { SchemaObject } from '../../postgres/fingerprint/index.ts';
import { compare } from './implies.ts';

interface Partition {
  readonly name: string;
  readonly parent: string;
  /** As pg_get_expr() prints relpartbound. */
  readonly bound: string;
}

/**
 * Partitions of `from` whose rows no partition of `to` takes. A table that is not partitioned there takes all. What the
 * default partition takes is new rows: those that are there already go with their partition, so it counts for
 * partitions that `to` never had alone, and for one that became the default partition itself.
 */
export function untaken(
  from: readonly SchemaObject[],
  to: readonly SchemaObject[],
  rows: 'new' | 'those that are there',
): string[] {
  const there = partitionsOf(to);
  const split = new Set(
    to
      .filter(({ kind, definition }) => kind === 'table' && /^partition by /m.test(definition))
      .map(({ identity }) => identity),
  );
  return partitionsOf(from).flatMap(({ name, parent, bound }) => {
    if (!split.has(parent)) return [];
    const siblings = there
      .filter(
        (one) =>
          one.parent === parent &&
          (rows === 'new' || one.bound !== 'DEFAULT' || bound === 'DEFAULT' || one.name === name),
      )
      .map((one) => one.bound);
    return takes(bound, siblings) ? [] : [name];
  });
}

function partitionsOf(schema: readonly SchemaObject[]): Partition[] {
  return schema.flatMap(({ kind, identity, definition }) => {
    const bound = /^(FOR VALUES .+|DEFAULT)$/m.exec(definition)?.[1];
    const parent = /^inherits (.+)$/m.exec(definition)?.[1];
    return kind === 'table' && bound !== undefined && parent !== undefined ? [{ name: identity, parent, bound }] : [];
  });
}

function takes(bound: string, others: readonly string[]): boolean {
  if (others.includes(bound) || others.includes('DEFAULT')) return true;
  const listed = values(bound);
  if (listed) {
    const known = new Set(others.flatMap((other) => values(other) ?? []));
    return listed.every((value) => known.has(value));
  }
  const range = ends(bound);
  if (range) return joins(range.from, range.to, others.map(ends));
  // Hash partitions take every row where their shares add up to the whole.
  const shares = others.map((other) => Number(/modulus (\d+)/.exec(other)?.[1] ?? Number.POSITIVE_INFINITY));
  return bound.includes('modulus') && Math.abs(shares.reduce((sum, one) => sum + 1 / one, 0) - 1) < 1e-9;
}

function values(bound: string): string[] | undefined {
  const list = /^FOR VALUES IN \((.*)\)$/s.exec(bound)?.[1];
  return list?.match(/'(?:[^']|'')*'|[^,\s][^,]*/g) ?? undefined;
}

interface Range {
  readonly from: string;
  readonly to: string;
}

function ends(bound: string): Range | undefined {
  const [, from, to] = /^FOR VALUES FROM \((.*)\) TO \((.*)\)$/s.exec(bound) ?? [];
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** Whether one range holds all of it, or ranges that meet lead from one end to the other. */
function joins(from: string, to: string, ranges: readonly (Range | undefined)[]): boolean {
  const reached = new Set([from]);
  for (let more = true; more;) {
    more = false;
    for (const range of ranges) {
      if (!range || reached.has(range.to)) continue;
      if (![...reached].some((place) => atMost(range.from, place))) continue;
      reached.add(range.to);
      more = true;
    }
  }
  return [...reached].some((place) => place !== from && atMost(to, place));
}

/** By the ends that can be ordered: numbers, dates, and the ends of everything. */
function atMost(one: string, other: string): boolean {
  if (one === other || one === 'MINVALUE' || other === 'MAXVALUE') return true;
  const [left, right] = [one, other].map((end) => /^'(.*)'$/.exec(end)?.[1] ?? end) as [string, string];
  const order = compare(left, right);
  return order !== undefined && order <= 0;
}
