import { rows, type Client } from './client.ts';

interface Sequence {
  readonly schema: string;
  readonly name: string;
  readonly last: string;
  readonly increment: string;
  readonly cache: string;
  readonly min: string;
  readonly max: string;
}

/** Numbers left out per sequence, at least, so that a value handed out and not yet seen is never handed out twice. */
const margin = 32n;

/**
 * Sets every sequence of `to` that `from` has been using beyond what `from` handed out: owned or not, ascending or descending.
 * Replication does not carry them. Never moves one backwards. Returns how many were set.
 */
export async function carrySequences(from: Client, to: Client): Promise<number> {
  const used = await rows<Sequence>(
    from,
    `
    SELECT schemaname AS schema, sequencename AS name, last_value::text AS last, increment_by::text AS increment, cache_size::text AS cache, min_value::text AS min, max_value::text AS max
    FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname <> 'verdigris'`,
  );
  const values = used.map((sequence) => ({
    schema: sequence.schema,
    name: sequence.name,
    value: String(beyond(sequence)),
  }));
  const { rowCount } = await to.query(
    `
    SELECT setval(c.oid::regclass, CASE WHEN s.increment_by > 0 THEN greatest(w.value, s.last_value) ELSE least(w.value, s.last_value) END)
    FROM json_to_recordset($1) AS w(schema name, name name, value bigint)
    JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind = 'S'
    JOIN pg_sequences s ON s.schemaname = w.schema AND s.sequencename = w.name`,
    [JSON.stringify(values)],
  );
  return rowCount ?? 0;
}

/** A value that lies `margin` (or one cache) of steps further, but within the sequence's bounds. */
export function beyond({ last, increment, cache, min, max }: Omit<Sequence, 'schema' | 'name'>): bigint {
  const step = BigInt(increment);
  const steps = BigInt(cache) > margin ? BigInt(cache) : margin;
  const value = BigInt(last) + step * steps;
  if (value > BigInt(max) || value < BigInt(min)) return BigInt(last);
  return value;
}
