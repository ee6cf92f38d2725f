import type { Client } from './client.ts';

interface Unused {
  readonly last: string;
  readonly called: boolean;
}

/** Sequences in one statement: planning grows faster than their number, and each is locked until it ends. */
const atOnce = 100;

/** A statement that reads some sequences; by its name it is planned once a connection. */
interface Read {
  readonly name: string;
  readonly sequences: readonly string[];
}

/**
 * What a connection has planned: what is read before the hold is read again under the fence, where planning would be
 * most of the time.
 */
const planned = new WeakMap<Client, readonly Read[]>();

/**
 * Where these sequences are, by their own row: PostgreSQL's functions say nothing of a sequence that is not in use
 * (before 18). One that came into use meanwhile may be among them.
 */
export async function readUnused(client: Client, sequences: readonly string[]): Promise<ReadonlyMap<string, Unused>> {
  const wanted = new Set(sequences);
  const known = planned.get(client) ?? [];
  const covered = new Set(known.flatMap((read) => read.sequences));
  const more = inParts(sequences.filter((sequence) => !covered.has(sequence)));
  const named = more.map((part, index) => ({
    name: `verdigris-sequences-${known.length + index}`,
    sequences: part,
  }));
  const reads = [...known.filter((read) => read.sequences.some((sequence) => wanted.has(sequence))), ...named];
  planned.set(client, [...known, ...named]);
  const found = new Map<string, Unused>();
  for (const read of reads) {
    const { rows } = await client.query<{ place: number; last_value: string; is_called: boolean }>({
      name: read.name,
      text: read.sequences
        .map((sequence, place) => `SELECT ${place} AS place, last_value::text, is_called FROM ${sequence}`)
        .join(' UNION ALL '),
    });
    for (const { place, last_value: last, is_called: called } of rows)
      found.set(read.sequences[place] ?? '', { last, called });
  }
  return found;
}

function inParts(sequences: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < sequences.length; start += atOnce) parts.push(sequences.slice(start, start + atOnce));
  return parts;
}
