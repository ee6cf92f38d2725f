import { VerdigrisError } from '../../model/errors.ts';
import { saidIn } from '../comment-form.ts';
import type { Range } from '../lint/range.ts';
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

/** A comment that is meant as one: the statement that it speaks of, counted from 0, or why it speaks of none. */
export interface FoundPlaceNote {
  readonly range: Range;
  readonly text: string;
  readonly of: { readonly statement: number; readonly note: PlaceNote } | { readonly why: string };
}

const begin = /^verdigris:\s*place\b/i;
const form = /^verdigris:\s*place=(candidate|live|switch)\s+reason=(\S.*)$/i;

/** In the order of a text; `statements` are the ranges of its statements, in bytes, without comments around them. */
export function placeNotesOf(text: string, statements: readonly Range[]): FoundPlaceNote[] {
  if (!/verdigris:\s*place\b/i.test(text)) return [];
  const taken = new Set<number>();
  return tokensOf(text, 0)
    .filter(({ comment, text: said }) => comment && begin.test(saidIn(said)))
    .map((token) => {
      const range = { start: token.start, end: token.end };
      const [, place, reason] = form.exec(saidIn(token.text)) ?? [];
      const next = statements.findIndex(({ start }) => start >= token.end);
      const within = statements.some(({ start, end }) => start < token.start && token.start < end);
      const why =
        place === undefined || reason === undefined
          ? 'is not of the form `place=candidate|live|switch reason=…` in one line'
          : within
            ? 'is inside a statement, or behind it without a semicolon'
            : next < 0
              ? 'has no statement after it'
              : taken.has(next)
                ? 'is the second one before one statement'
                : undefined;
      taken.add(next);
      if (why !== undefined) return { range, text: token.text, of: { why } };
      const note = { place: place?.toLowerCase() as StatementPlace, reason: reason ?? '' };
      return { range, text: token.text, of: { statement: next, note } };
    });
}

export const writesNoRows = 'is before a statement that writes no rows, which runs on the candidate in any case';

/** One that nobody can follow. */
export function badPlaceNote(file: string, line: number, text: string, why: string): VerdigrisError {
  return new VerdigrisError('place-note', {
    seen: `${file}:${line}: ${text.trim()} ${why}.`,
    required: 'one comment of the form `place=candidate|live|switch reason=…` before a statement that writes rows.',
    next: 'fix the comment, or take it out; docs/migrations.md has examples.',
    facts: { file, line },
  });
}
