import type { ErrorId } from '../../model/error-catalogue.ts';
import { VerdigrisError, type ErrorFacts } from '../../model/errors.ts';

/** Every failure of a script names its place; `line` counts from 1, `offset` is in bytes from 0. */
export function fault(
  id: ErrorId,
  place: { readonly line?: number; readonly offset?: number },
  words: Pick<ErrorFacts, 'seen' | 'required' | 'next' | 'cause'>,
  facts: Readonly<Record<string, unknown>> = {},
): VerdigrisError {
  return new VerdigrisError(id, { ...words, facts: { ...place, ...facts } });
}

/** The first words of a statement, on one line. */
export function excerpt(text: string): string {
  const flat = text.slice(0, 400).replace(/\s+/g, ' ').trim();
  return flat.length > 120 ? `${flat.slice(0, 119)}…` : flat;
}
