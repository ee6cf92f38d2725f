import type { Release, Stream } from '../../model/journal.ts';
import type { Context } from './context.ts';

/** The release that is under way. */
export function release(c: Context): Release {
  if (!c.journal.release) throw new Error('no release is under way');
  return c.journal.release;
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
