import { Buffer } from 'node:buffer';
import type { ObjectKey } from './graph.ts';

/** What `pg_dump --verbose` says of an object above its statements. */
export interface TocEntry {
  /** In bytes of the dump. */
  readonly offset: number;
  readonly id: number;
  /** `0:0` of what is no object by itself: a comment, a grant, an attached partition. */
  readonly key: ObjectKey;
  readonly needs: readonly number[];
  readonly name: string;
}

const header =
  /^-- TOC entry (\d+) \(class (\d+) OID (\d+)\)\n(?:-- Dependencies: ([\d ]+)\n)?-- Name: (.*); Type: .*; Schema: .*; Owner: .*$/gm;

export function readToc(text: string): TocEntry[] {
  return [...Buffer.from(text).toString('latin1').matchAll(header)].map(
    ({ index, 1: id, 2: catalogue, 3: oid, 4: needs = '', 5: name = '' }) => ({
      offset: index,
      id: Number(id),
      key: `${Number(catalogue)}:${Number(oid)}`,
      needs: needs.split(' ').filter(Boolean).map(Number),
      name,
    }),
  );
}

/**
 * Which of them are of a part. What is no object by itself goes with what it is said of; undefined where the dump does
 * not say of what: an attached partition or index.
 */
export function isOfPart(
  entry: TocEntry,
  all: ReadonlyMap<number, TocEntry>,
  carried: ReadonlySet<ObjectKey>,
): boolean | undefined {
  if (!entry.key.startsWith('0:')) return carried.has(entry.key);
  if (entry.name === 'SCHEMA "public"') return true;
  if (entry.needs.length === 0) return undefined;
  const said = entry.needs.flatMap((id) => all.get(id) ?? []);
  return said.length > 0 && said.every((other) => isOfPart(other, all, carried));
}
