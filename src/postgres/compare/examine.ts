import { digestBuckets, type Bound, type Chunk, type Digest } from './chunk.ts';
import type { ComparePair } from './session.ts';
import { absent, keyBound, readStates } from './states.ts';
import type { Subject } from './subject.ts';

/** Rows that are looked at one by one at a time; bounds the memory of a comparison, however much differs. */
const rowsAtOnce = 10_000;
const rowsPerBucket = 100;

/**
 * Hands out the keys whose states differ, in pieces of bounded size. `known` is either which buckets differ or how many
 * rows there are. False where `enough` stopped it early.
 */
export async function differingKeys(
  pair: ComparePair,
  subject: Subject,
  chunk: Chunk,
  known: number | { readonly buckets: number; readonly groups: readonly number[][] },
  found: (keys: readonly Bound[]) => Promise<void>,
  enough: () => boolean,
): Promise<boolean> {
  const buckets = typeof known === 'number' ? bucketCount(known) : known.buckets;
  const groups =
    typeof known !== 'number'
      ? known.groups
      : buckets === 1
        ? [[0]]
        : await differingBuckets(pair, subject, chunk, buckets);
  for (const group of groups) {
    if (enough()) return false;
    const [live, candidate] = await Promise.all([
      readStates(pair.live, subject, 'live', chunk, buckets, group),
      readStates(pair.candidate, subject, 'candidate', chunk, buckets, group),
    ]);
    const keys = [...live].flatMap(([id, state]) => ((candidate.get(id) ?? absent) === state ? [] : [id]));
    for (const id of candidate.keys()) if (!live.has(id)) keys.push(id);
    if (keys.length > 0) await found(keys.map(keyBound));
  }
  return true;
}

export function bucketCount(rows: number): number {
  return rows <= rowsAtOnce / 5 ? 1 : 2 ** Math.min(20, Math.ceil(Math.log2(rows / rowsPerBucket)));
}

/** Numbers of the buckets that differ, in groups of about `rowsAtOnce` rows. */
async function differingBuckets(
  pair: ComparePair,
  subject: Subject,
  chunk: Chunk,
  buckets: number,
): Promise<number[][]> {
  const [live, candidate] = await Promise.all([
    digestBuckets(pair.live, subject, 'live', chunk, buckets),
    digestBuckets(pair.candidate, subject, 'candidate', chunk, buckets),
  ]);
  return groupBuckets(live, candidate);
}

const empty: Digest = { rows: 0, sum: '0' };

export function groupBuckets(live: ReadonlyMap<number, Digest>, candidate: ReadonlyMap<number, Digest>): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const bucket of new Set([...live.keys(), ...candidate.keys()])) {
    const [left, right] = [live.get(bucket) ?? empty, candidate.get(bucket) ?? empty];
    if (left.rows === right.rows && left.sum === right.sum) continue;
    if (room <= 0) {
      groups.push([]);
      room = rowsAtOnce;
    }
    groups.at(-1)?.push(bucket);
    room -= Math.max(left.rows, right.rows);
  }
  return groups;
}
