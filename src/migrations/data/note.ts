import { VerdigrisError } from '../../model/errors.ts';
import { tokensOf } from '../lint/tokens.ts';

/** Where a statement that writes rows runs. */
export const places = ['candidate', 'live', 'switch'] as const;
export type StatementPlace = (typeof places)[number];

/**
 * What a migration's author says of the statement that follows: `-- verdigris: place=live reason=ids are drawn there`.
 */
export interface PlaceNote {
  readonly place: StatementPlace;
  readonly reason: string;
}

const begin = /^--\s*verdigris:\s*place\b/i;
const form = /^--\s*verdigris:\s*place=(candidate|live|switch)\s+reason=(\S.*?)\s*$/i;

/** The note in what is between a statement and the one before. @throws VerdigrisError `place-note`. */
export function readPlaceNote(between: string, file: string, line: number): PlaceNote | undefined {
  if (!between.includes('verdigris:')) return undefined;
  const said = tokensOf(between, 0).filter(({ comment, text }) => comment && begin.test(text));
  const [note, second] = said;
  if (!note) return undefined;
  const [, place, reason] = form.exec(note.text) ?? [];
  if (place === undefined || reason === undefined || second)
    throw new VerdigrisError('place-note', {
      seen: `${file}:${line}: ${said.map(({ text }) => text).join(' ')}`,
      required: 'one comment of the form `place=candidate|live|switch reason=…` before a statement, in one line.',
      next: 'fix the comment; docs/migrations.md has examples.',
      facts: { file, line },
    });
  return { place: place.toLowerCase() as StatementPlace, reason };
}
