import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { BackfillState } from '../gates/backfill-state.ts';

export function unknownBackfill(seen: string, known: string, next: string): VerdigrisError {
  return new VerdigrisError('backfill-unknown', { seen, required: `one of: ${known}.`, next: `${next}.` });
}

export function mixedBackfill(name: string): VerdigrisError {
  return new VerdigrisError('backfill-mixed', {
    seen: `${name} fills columns that the live colour has and columns that it does not have.`,
    required: 'columns of one kind: the first are filled on the live colour, the others on the candidate.',
    next: 'split it into two files.',
  });
}

/** Writes on the live colour were not consented to. */
export function needsLive(live: Colour, names: readonly string[]): VerdigrisError {
  return new VerdigrisError('backfill-needs-live', {
    seen: `${names.join(', ')} ${names.length === 1 ? 'fills' : 'fill'} columns of the live colour ${live}, which clients use.`,
    required: 'consent to writes there: in batches, yielding to clients and replication.',
    next: 'run `verdigris backfill --live`.',
    facts: { backfills: names },
  });
}

export function outlivedError({ backfill: { name, path }, outlived }: BackfillState): VerdigrisError {
  return new VerdigrisError('backfill-outlived', {
    seen: `${name} is complete, and a later release removed what it refers to: ${outlived ?? ''}.`,
    required: 'a table with the columns that it fills and reads.',
    next: `remove its file: ${path}. Nothing waits for it.`,
    facts: { backfill: name, file: path },
  });
}
