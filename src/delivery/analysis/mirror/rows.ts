import { createHash } from 'node:crypto';

/** What a statement gave, in text form. */
export interface Given {
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** float4 and float8: their sums hang on the order of what is summed, in the last digits. */
const digits: Readonly<Record<number, number>> = { 700: 5, 701: 12 };

/**
 * What differs between two results, in words; undefined where nothing does. Rows count whatever their order, columns by
 * what both have.
 */
export function difference(live: Given, candidate: Given): string | undefined {
  const missing = live.columns.filter(({ name }) => !candidate.columns.some((each) => each.name === name));
  if (missing.length > 0) return `the candidate gives no column ${missing.map(({ name }) => name).join(', ')}`;
  if (live.rows.length !== candidate.rows.length)
    return `${live.rows.length} rows on the live colour, ${candidate.rows.length} on the candidate`;
  const common = live.columns.map(({ name }) => name);
  if (digest(live, common) === digest(candidate, common)) return undefined;
  return `${live.rows.length} rows on both, and not the same ones`;
}

/** Of all rows together: a sum, so that their order does not count and how often each is there does. */
export function digest({ columns, rows }: Given, names: readonly string[]): string {
  const same = columns.length === names.length && columns.every(({ name }, index) => name === names[index]);
  // Names that are there twice are distinguished by their place, where both results have the same.
  const places = same
    ? columns.map((_, index) => index)
    : names.map((name) => columns.findIndex((each) => each.name === name));
  let sum = 0n;
  for (const row of rows) {
    const values = places.map((place) => plain(row[place] ?? null, columns[place]?.type ?? 0));
    sum += createHash('sha256').update(JSON.stringify(values)).digest().readBigUInt64LE();
  }
  return BigInt.asUintN(64, sum).toString(16);
}

function plain(value: string | null, type: number): string | null {
  const kept = digits[type];
  return value === null || kept === undefined ? value : Number(value).toPrecision(kept);
}
