import { count } from '../../model/count.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { ignoredSchemas } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { literal } from '../quote.ts';
import { continuing, forColumns, type ForColumns } from '../sequence-twins.ts';

/** One sequence, owned by a column or not. Numbers are bigint: a sequence may pass 2^53. */
export interface Sequence extends ForColumns {
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly start: bigint;
  readonly min: bigint;
  readonly max: bigint;
  /** Negative where it descends; never 0. */
  readonly increment: bigint;
  readonly cycle: boolean;
  readonly cache: bigint;
  /**
   * The last value handed out (with a cache: reserved); null where it was never called, also after setval(…, false).
   */
  readonly last: bigint | null;
  /** Column that it belongs to, as `schema.table.column`. */
  readonly ownedBy: string | null;
}

type Text<T> = {
  readonly [K in keyof T]: T[K] extends bigint ? string : bigint extends T[K] ? string | null : T[K];
};

/** Every permanent sequence of the database in name order. */
export async function readSequences(client: Client): Promise<Sequence[]> {
  const found = await rows<Text<Sequence>>(
    client,
    `
    SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS sequence,
      ${forColumns}, format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start,
      s.seqmin::text AS min, s.seqmax::text AS max,
      s.seqincrement::text AS increment, s.seqcycle AS cycle, s.seqcache::text AS cache, pg_sequence_last_value(c.oid)::text AS last,
      (SELECT format('%s.%s.%s', tn.nspname, t.relname, a.attname) FROM pg_depend d
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1) AS "ownedBy"
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't' AND n.nspname NOT IN (${ignoredSchemas})
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  return found.map((row) => ({
    ...row,
    start: BigInt(row.start),
    min: BigInt(row.min),
    max: BigInt(row.max),
    increment: BigInt(row.increment),
    cache: BigInt(row.cache),
    last: row.last === null ? null : BigInt(row.last),
  }));
}

/** What nextval() gives next; null where the sequence is at its end and does not cycle. */
export function nextValue(sequence: Sequence): bigint | null {
  const { last, increment, min, max, cycle, start } = sequence;
  if (last === null) return start;
  const next = last + increment;
  if (next >= min && next <= max) return next;
  if (!cycle) return null;
  return increment > 0n ? min : max;
}

/**
 * Whether the candidate would hand out a value that the live side has handed out already. A sequence that cycles hands
 * values out again by design; there, any other position than the live one's counts.
 */
export function wouldRepeat(live: Sequence, candidate: Sequence): boolean {
  if (live.last === null) return false;
  const next = nextValue(candidate);
  if (next === null) return false;
  if (live.cycle) return candidate.last !== live.last;
  return live.increment > 0n ? next <= live.last : next >= live.last;
}

/**
 * Sequences of two databases. Behind is the rule before the switchover (`before`), which moves them, and so only
 * information;
 * `after` it a value that exists already would be a duplicate key or a wrong row, and refuses.
 */
export async function compareSequences(
  live: Client,
  candidate: Client,
  phase: 'before' | 'after' = 'before',
): Promise<Finding[]> {
  const [left, right] = [await readSequences(live), await readSequences(candidate)];
  return sequenceFindings(left, right, phase);
}

export function sequenceFindings(
  live: readonly Sequence[],
  candidate: readonly Sequence[],
  phase: 'before' | 'after',
): Finding[] {
  const pairs = continuing(live, candidate).flatMap(({ own: twin, before }) =>
    before.map((sequence) => ({ sequence, twin })),
  );
  const names = new Set(candidate.map(({ sequence }) => sequence));
  const missing = live.filter(({ sequence }) => !names.has(sequence));
  const missed = (gone: Sequence): string => {
    const by = pairs.filter(({ sequence }) => sequence === gone).map(({ twin }) => sequenceLabel(twin));
    return by.length === 0 ? sequenceLabel(gone) : `${sequenceLabel(gone)}, which ${by.join(' and ')} continues`;
  };
  const turned = pairs.filter(({ sequence, twin }) => sequence.increment > 0n !== twin.increment > 0n);
  const repeating = pairs.filter(
    ({ sequence, twin }) => wouldRepeat(sequence, twin) && !turned.some((pair) => pair.twin === twin),
  );
  const before = phase === 'before';
  return [
    finding('sequence-missing', {
      title: `${count(missing.length, 'sequence')} of the live side are not on the candidate`,
      objects: missing.map(missed),
      reason:
        'Software that still calls nextval() on them fails after the switchover. Where no other is named that fills ' +
        'the same column, their numbers are carried nowhere, and a rollback finds them as they are now.',
    }),
    finding('sequence-turned', {
      title: `${count(turned.length, 'sequence')} count in the other direction on the candidate`,
      objects: turned.map(({ twin }) => sequenceLabel(twin)),
      reason: 'No position on the candidate corresponds to the live one.',
    }),
    finding('sequence-behind', {
      grade: before ? 'info' : 'refuse',
      title: before
        ? `${count(repeating.length, 'sequence')} that the switchover sets, as replication does not carry them`
        : `${count(repeating.length, 'sequence')} would hand out values that exist already`,
      objects: repeating.map(({ twin }) => sequenceLabel(twin)),
      reason: before
        ? 'Until then they lag behind on the candidate, and nobody uses them there.'
        : 'The next insert takes a key that a row has already.',
      fix: repeating
        .map(({ sequence, twin }) => `SELECT setval(${literal(twin.sequence)}, ${sequence.last}, true);`)
        .join(' '),
    }),
  ].filter(({ objects }) => objects.length > 0);
}

export function sequenceLabel({ schema, name }: Sequence): string {
  return `${schema}.${name}`;
}
