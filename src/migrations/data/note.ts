import { VerdigrisError } from '../../model/errors.ts';
import { tokensOf } from '../lint/tokens.ts';

/** Where a statement that writes rows runs. */
export const places = ['candidate', 'live', 'switch'] as const;
export type Place = (typeof places)[number];

/** What a migration's author says of the statement that follows: `-- verdigris: place=live reason=ids are drawn there`. */
export interface PlaceNote {
  readonly place: Place;
  readonly reason: string;
}

const begin = /^--\s*verdigris:\s*place\b/i;
const form = /^--\s*verdigris:\s*place=(candidate|live|switch)\s+reason=(\S.*?)\s*$/i;

/** The note among the comments that stand right before a statement. @throws VerdigrisError `place-note`. */
export function readPlaceNote(statement: string, file: string, line: number): PlaceNote | undefined {
  if (!statement.includes('verdigris:')) return undefined;
  const tokens = tokensOf(statement, 0);
  const first = tokens.findIndex(({ comment }) => !comment);
  const said = tokens.slice(0, Math.max(0, first)).filter(({ text }) => begin.test(text));
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
  return { place: place.toLowerCase() as Place, reason };
}
