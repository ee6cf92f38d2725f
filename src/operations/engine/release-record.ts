import type { OperationRecord, Release, Stream } from '../../model/journal.ts';
import type { Context } from './context.ts';

/** The release that is under way. */
export function release(c: Context): Release {
  if (!c.journal.release) throw new Error('no release is under way');
  return c.journal.release;
}

/** The operation that is open in the journal. */
export function operation(c: Context): OperationRecord {
  if (!c.journal.operation) throw new Error('no operation is open in the journal');
  return c.journal.operation;
}

/** The replication stream that is under way. */
export function stream(c: Context): Stream {
  if (!c.journal.stream) throw new Error('no replication is under way');
  return c.journal.stream;
}

/** Writes facts of the release to the journal, durably. */
export async function note(c: Context, facts: Partial<Release>): Promise<void> {
  await c.ledger.write((journal) => ({ ...journal, release: { ...release(c), ...facts } }));
}

/** Writes facts of the seed to the journal, durably. */
export async function noteSeed(c: Context, facts: Partial<Release['seed']>): Promise<void> {
  await note(c, { seed: { ...release(c).seed, ...facts } });
}

/**
 * Writes down that a snapshot is about to be made, so that whoever removes the release's knows it, and no other for
 * one.
 */
export async function noteSnapshot(c: Context, name: string): Promise<void> {
  const known = release(c).snapshots ?? [];
  if (!known.includes(name)) await note(c, { snapshots: [...known, name] });
}

/**
 * Names of the snapshots that the release made; of a release from before they were written down, those that it knows.
 */
export function ownSnapshots(c: Context): string[] {
  const { snapshots = [], seed, fallback } = release(c);
  return [...new Set([...snapshots, seed.snapshot, fallback])].filter((name) => name !== undefined);
}
