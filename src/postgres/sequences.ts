import { one, rows, type Client } from './client.ts';
import { continuing, forColumns, type ForColumns } from './sequence-twins.ts';
import { readUnused } from './unused-sequences.ts';

/** Where a sequence is, exactly. Numbers are bigint: a sequence may pass 2^53. */
export interface SequencePosition extends ForColumns {
  readonly last: bigint;
  /** False: `last` is the next number itself, after setval(…, false) or RESTART, or where it was never used. */
  readonly called: boolean;
  /** Negative where it descends. */
  readonly increment: bigint;
  readonly cache: bigint;
  readonly min: bigint;
  readonly max: bigint;
}

/** Numbers left out per sequence that is in use, at least. */
const margin = 32n;

/**
 * What was carried over a connection: under the fence only what moved since is carried. A new connection carries all.
 */
const carried = new WeakMap<Client, ReadonlyMap<string, string>>();

/**
 * Brings every sequence of `to` to where that of `from` is whose numbers it continues, by whatever name: owned or not,
 * ascending or descending, in use (then `margin` further) or not. Replication does not carry them. One from which `to`
 * drew numbers itself, as a migration does, is never moved backwards. Returns how many had moved.
 */
export async function carrySequences(from: Client, to: Client): Promise<number> {
  const all = await readPositions(from);
  const known = carried.get(to);
  const moved = all.filter((position) => known?.get(position.sequence) !== text(position));
  if (moved.length > 0) await place(to, all, moved, await pairingOf(from, to));
  carried.set(to, new Map(all.map((position) => [position.sequence, text(position)])));
  return moved.length;
}

/**
 * Writes down where a colour's own sequences are, so that what is drawn from them there later can be distinguished from
 * what was carried.
 */
export async function rememberSequences(client: Client): Promise<void> {
  await remember(client, await readPositions(client));
}

/** By the names of both sides: what each continues, and what continues it. */
interface Pairing {
  readonly from: ReadonlyMap<string, Facts>;
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly after: ReadonlyMap<string, readonly string[]>;
}

/** By the connection to where it is carried: found before the hold, for thousands take longer than what moved. */
const pairings = new WeakMap<Client, Pairing>();

async function pairingOf(from: Client, to: Client): Promise<Pairing> {
  const [there, here] = [await factsOf(from), await factsOf(to)];
  const known = pairings.get(to);
  if (known?.from === there) return known;
  const before = new Map<string, readonly string[]>();
  const after = new Map<string, string[]>();
  for (const { own, before: found } of continuing([...there.values()], [...here.values()])) {
    before.set(
      own.sequence,
      found.map(({ sequence }) => sequence),
    );
    for (const { sequence } of found) after.set(sequence, [...(after.get(sequence) ?? []), own.sequence]);
  }
  const pairing = { from: there, before, after };
  pairings.set(to, pairing);
  return pairing;
}

async function place(
  to: Client,
  all: readonly SequencePosition[],
  moved: readonly SequencePosition[],
  { before, after }: Pairing,
): Promise<void> {
  const names = [...new Set(moved.flatMap(({ sequence }) => after.get(sequence) ?? []))];
  const here = await readPositions(to, names);
  const there = new Map(all.map((position) => [position.sequence, position]));
  const left = new Map(
    (
      await rows<{ sequence: string; last: string; called: boolean }>(
        to,
        'SELECT sequence, last, called FROM verdigris.sequence_position WHERE sequence = ANY ($1)',
        [names],
      )
    ).map((position) => [position.sequence, text(position)]),
  );
  const places = here.flatMap((own) => {
    // All that one continues counts, or it would follow the one that moved last, not the furthest.
    const wanted = furthest(
      own,
      (before.get(own.sequence) ?? []).flatMap((name) => there.get(name) ?? []),
    );
    if (!wanted) return [];
    const untouched = left.get(own.sequence) === text(own);
    return untouched || isFurther(wanted, own) ? [{ ...own, ...wanted }] : [];
  });
  if (places.length === 0) return;
  await to.query(
    'SELECT setval(w.sequence::regclass, w.last, w.called) FROM json_to_recordset($1) AS w(sequence text, last bigint, called bool)',
    [json(places)],
  );
  await remember(to, places);
}

async function remember(client: Client, positions: readonly SequencePosition[]): Promise<void> {
  await client.query(
    `
    INSERT INTO verdigris.sequence_position SELECT * FROM json_to_recordset($1) AS w(sequence text, last bigint, called bool)
    ON CONFLICT (sequence) DO UPDATE SET last = excluded.last, called = excluded.called`,
    [json(positions)],
  );
}

/** Where `own` has to be, by all that it continues; of what counts the other way, only its name says so. */
function furthest(own: SequencePosition, before: readonly SequencePosition[]): ReturnType<typeof beyond> | undefined {
  return before
    .filter(({ sequence, increment }) => sequence === own.sequence || increment > 0n === own.increment > 0n)
    .map(beyond)
    .reduce<ReturnType<typeof beyond> | undefined>(
      (best, wanted) => (!best || isFurther(wanted, { ...own, ...best }) ? wanted : best),
      undefined,
    );
}

/**
 * A value that lies `margin` (or one cache) of steps further, but within the sequence's bounds; what is not in use
 * stays where it is.
 */
export function beyond({ last, called, increment, cache, min, max }: Omit<SequencePosition, keyof ForColumns>): {
  last: bigint;
  called: boolean;
} {
  const value = last + increment * (cache > margin ? cache : margin);
  return { last: called && value <= max && value >= min ? value : last, called };
}

/** By the numbers that come next, in the direction in which `own` counts. */
function isFurther(wanted: Pick<SequencePosition, 'last' | 'called'>, own: SequencePosition): boolean {
  const next = ({ last, called }: Pick<SequencePosition, 'last' | 'called'>) => (called ? last + own.increment : last);
  return own.increment > 0n ? next(wanted) > next(own) : next(wanted) < next(own);
}

type Facts = Omit<SequencePosition, 'last' | 'called'> & { readonly oid: string };

/** What ALTER SEQUENCE sets: no other than before the hold under the fence, or the seal is broken. */
const facts = new WeakMap<Client, ReadonlyMap<string, Facts>>();

async function factsOf(client: Client): Promise<ReadonlyMap<string, Facts>> {
  return facts.get(client) ?? readFacts(client);
}

async function readFacts(client: Client): Promise<ReadonlyMap<string, Facts>> {
  const found = await rows<ForColumns & Record<'oid' | 'increment' | 'cache' | 'min' | 'max', string>>(
    client,
    `
    SELECT c.oid::text AS oid, format('%I.%I', n.nspname, c.relname) AS sequence, s.seqincrement::text AS increment,
      s.seqcache::text AS cache, s.seqmin::text AS min, s.seqmax::text AS max, ${forColumns}
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't' AND n.nspname <> 'verdigris'`,
  );
  const read = new Map(
    found.map(({ increment, cache, min, max, ...name }) => [
      name.oid,
      { ...name, increment: BigInt(increment), cache: BigInt(cache), min: BigInt(min), max: BigInt(max) },
    ]),
  );
  facts.set(client, read);
  return read;
}

/** Every permanent sequence but ours, or those of `only`. */
async function readPositions(client: Client, only?: readonly string[]): Promise<SequencePosition[]> {
  const all = await factsOf(client);
  const names = only && new Set(only);
  const wanted = [...all.values()].filter(({ sequence }) => names?.has(sequence) ?? true);
  // As one value: thousands of rows would take longer than reading them.
  const { places } = await one<{ places: string }>(
    client,
    `SELECT coalesce(string_agg(oid || ':' || coalesce(pg_sequence_last_value(oid)::text, ''), ','), '') AS places FROM unnest($1::oid[]) AS oid`,
    [wanted.map(({ oid }) => oid)],
  );
  const last = new Map(places.split(',').map((place) => place.split(':') as [string, string]));
  const unused = await readUnused(
    client,
    wanted.flatMap(({ oid, sequence }) => (last.get(oid) ? [] : [sequence])),
  );
  return wanted.flatMap(({ oid, ...fact }) => {
    const value = last.get(oid);
    const is = value ? { last: value, called: true } : unused.get(fact.sequence);
    return is ? [{ ...fact, last: BigInt(is.last), called: is.called }] : [];
  });
}

function text({ last, called }: { last: bigint | string; called: boolean }): string {
  return `${last} ${called}`;
}

function json(positions: readonly SequencePosition[]): string {
  return JSON.stringify(positions.map(({ sequence, last, called }) => ({ sequence, last: String(last), called })));
}
