import { ident } from '../quote.ts';
import type { ColumnFacts } from './facts.ts';
import { isBuiltIn, textOf } from './text.ts';

/**
 * SQL for a 64-bit hash of one column, equal on both sides if and only if the values are the same to the last digit,
 * blank and sign (but for the chance of 2^-64), and the same in every major since 11. NULL has a hash of its own.
 * PostgreSQL's own hash functions serve equality, so most are not exact: int8's and timestamp's fold 64 bits to 32,
 * numeric's leaves out sign and scale, float's takes -0 for 0, bpchar's leaves out trailing blanks, jsonb's nesting.
 * Each type therefore takes the fastest form that is; all others go by their text, which session.ts makes the same on
 * both sides.
 */
export function columnHash(live: ColumnFacts, candidate: ColumnFacts, place: number): string {
  const column = `t.${ident(live.name)}`;
  return `coalesce(${exact(column, live, candidate, place)}, 0)`;
}

/**
 * One 64-bit hash of a whole row. Columns are joined by XOR under seeds of their own and then mixed once more: without
 * the last mix the sum over a chunk would be linear in the columns, and two rows that had swapped a value would go
 * unseen. (hash_record_extended() is linear in that way, so it cannot be used alone.)
 */
export function rowHash(hashes: readonly string[]): string {
  return hashes.length === 0 ? '0::int8' : `hashint4extended(0, ${hashes.join(' # ')})`;
}

const integers = ['int2', 'int4', 'int8'];
const texts = ['text', 'varchar'];

function exact(column: string, live: ColumnFacts, candidate: ColumnFacts, place: number): string {
  // Seeds of the text forms never meet the small first arguments of the integer form.
  const seed = `${2 ** 33 + place}`;
  const builtIn = isBuiltIn(live.base) && isBuiltIn(candidate.base);
  const text = (value: string) => `hashtextextended((${textOf(value, builtIn)}) COLLATE "C", ${seed})`;
  const both = (...names: string[]) => names.includes(live.base) && names.includes(candidate.base);

  if (both('int4')) return `hashint4extended(${column}, ${seed})`;
  // The value goes in as the seed, which is 64 bits wide and mixed whole.
  if (both(...integers)) return `hashint4extended(${place}, ${column}::int8)`;
  if (both(...texts)) return text(column);
  // After a change of scale or from an integer, the number counts and not how it is written.
  if (both(...integers, 'numeric') && (live.base !== candidate.base || live.modifier !== candidate.modifier))
    return text(`trim_scale(${column}::numeric)`);
  if (live.base !== candidate.base && both(...integers, 'numeric', 'float8')) return float(`${column}::float8`, seed);
  if (live.base !== candidate.base && both('int2', 'float4', 'float8'))
    return `CASE WHEN abs(${column}::float8) < 3.4e38 THEN ${float(`${column}::float4::float8`, seed)} ELSE ${text(column)} END`;
  if (live.base !== candidate.base && both('json', 'jsonb')) return text(`${column}::jsonb`);
  if (live.base !== candidate.base && both('date', 'timestamp')) return text(`${column}::timestamp`);
  // ALTER TYPE cuts the blanks that padded a value, replication carries them.
  if (live.base !== candidate.base && both('bpchar', ...texts)) return text(`rtrim(${column}::text, ' ')`);
  if (live.base !== candidate.base) return text(column);

  if (live.base === 'bpchar' && live.modifier !== candidate.modifier) return text(column);

  switch (live.base) {
    case 'bool':
      return `hashint4extended(${column}::int4, ${seed})`;
    case 'oid':
      return `hashoidextended(${column}, ${seed})`;
    case 'uuid':
      return `uuid_hash_extended(${column}, ${seed})`;
    case 'bytea':
      return `hash_array_extended(ARRAY[${column}::bytea], ${seed})`;
    case 'float4':
    case 'float8':
      return float(`${column}::float8`, seed);
    case 'bpchar':
      // Padded to a length, a value's blanks follow from the rest of it.
      if (live.modifier !== -1) return `hashbpcharextended(${column}::bpchar COLLATE "C", ${seed})`;
      return `hashbpcharextended(${column}::bpchar COLLATE "C", ${seed}) # hashint4extended(${place}, octet_length(${column})::int8)`;
    // As doubles, seconds are exact to the microsecond within these years; the function is the cheapest there is that
    // neither formats nor folds.
    case 'timestamp':
      return instant(
        column,
        "'1730-01-01'::timestamp",
        "'2270-01-01'::timestamp",
        `tsrange_subdiff(${column}, '2000-01-01'::timestamp)`,
        seed,
        text,
      );
    case 'timestamptz':
      return instant(
        column,
        "'1730-01-01 00:00:00+00'::timestamptz",
        "'2270-01-01 00:00:00+00'::timestamptz",
        `tstzrange_subdiff(${column}, '2000-01-01 00:00:00+00'::timestamptz)`,
        seed,
        text,
      );
    case 'date':
      return `hashfloat8extended(daterange_subdiff(${column}, '2000-01-01'::date), ${seed})`;
    default:
      break;
  }
  // An enum's oids stand for its labels only where both catalogues give them the same ones, as in a copy of the volume.
  if (live.labels !== null && live.labels === candidate.labels) return `hashenumextended(${column}, ${seed})`;
  return text(column);
}

function float(value: string, seed: string): string {
  return `CASE WHEN ${value} = 0 THEN hashtextextended(${value}::text COLLATE "C", ${seed}) ELSE hashfloat8extended(${value}, ${seed}) END`;
}

function instant(
  column: string,
  from: string,
  to: string,
  seconds: string,
  seed: string,
  text: (value: string) => string,
): string {
  return `CASE WHEN ${column} > ${from} AND ${column} < ${to} THEN hashfloat8extended(${seconds}, ${seed}) ELSE ${text(column)} END`;
}
