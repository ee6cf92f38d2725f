import { databasePart } from './database-part.ts';
import type { Journal, Release, Stream } from './journal.ts';

type Part = NonNullable<Release['databases']>[string];

/** Further databases that the release under way carries, in the order in which they were declared. */
export function carriedDatabases({ release }: Journal): readonly string[] {
  return Object.keys(release?.databases ?? {});
}

/**
 * The journal as it would be if `database` were the only one: what a release knows of it, and its own streams. So what
 * is right for one database is right in each.
 */
export function journalInside(journal: Journal, database: string): Journal {
  return {
    ...journal,
    release: journal.release && releaseInside(journal.release, database),
    stream: streamInside(journal.stream, database),
    closing: streamInside(journal.closing, database),
  };
}

/** Puts what was written inside a database in its place; what is of the whole release is written as it is. */
export function journalAround(outer: Journal, database: string, inner: Journal): Journal {
  return {
    ...inner,
    release: inner.release && outer.release && releaseAround(outer.release, database, inner.release),
    stream: streamAround(outer.stream, database, inner.stream),
    closing: streamAround(outer.closing, database, inner.closing),
  };
}

function isOfPart(key: string): boolean {
  return key in databasePart;
}

function partOf(release: Release): Part {
  return Object.fromEntries(Object.entries(release).filter(([key]) => isOfPart(key))) as Part;
}

function releaseInside(release: Release, database: string): Release {
  const { databases, ...top } = release;
  const ofAll = Object.fromEntries(Object.entries(top).filter(([key]) => !isOfPart(key)));
  return { ...ofAll, ...(databases?.[database] ?? { seed: {}, schema: {} }) } as Release;
}

function releaseAround(outer: Release, database: string, inner: Release): Release {
  const ofAll = Object.fromEntries(Object.entries(inner).filter(([key]) => !isOfPart(key)));
  return { ...ofAll, ...partOf(outer), databases: { ...outer.databases, [database]: partOf(inner) } } as Release;
}

function streamInside(stream: Stream | null, database: string): Stream | null {
  const part = stream?.databases?.[database];
  return stream && part ? { from: stream.from, to: stream.to, ...part } : null;
}

function streamAround(outer: Stream | null, database: string, inner: Stream | null): Stream | null {
  if (!outer || !inner) return outer;
  const { from: _from, to: _to, databases: _databases, ...part } = inner;
  return { ...outer, databases: { ...outer.databases, [database]: part } };
}
