import { VerdigrisError } from '../model/errors.ts';
import { noteCloses, noteOpens } from './comment-form.ts';

/** How a note begins, in a line of its own. */
const begin = new RegExp(String.raw`${noteOpens}verdigris:[ \t]*as[ \t]+superuser\b([^\n]*?)${noteCloses}`, 'im');
const form = /^[ \t]+because[ \t]+(\S.*?)[ \t\r]*$/i;

/** Where a file asks to run as superuser: characters from its start, and why; without a reason, undefined. */
export function findSuperuserNote(
  text: string,
): { readonly start: number; readonly end: number; readonly reason: string | undefined } | undefined {
  const found = /verdigris:/i.test(text) ? begin.exec(text) : null;
  if (!found) return undefined;
  const start = found.index + found[0].search(/\S/);
  return { start, end: found.index + found[0].length, reason: form.exec(found[1] ?? '')?.[1] };
}

/**
 * Whether a file runs as superuser, which its author says with a reason: `-- verdigris: as superuser because …`.
 * @throws VerdigrisError `superuser-note` where no reason is given.
 */
export function asksForSuperuser(text: string, file: string): boolean {
  const found = findSuperuserNote(text);
  if (!found) return false;
  if (found.reason !== undefined) return true;
  const line = text.slice(0, found.start).split('\n').length;
  throw new VerdigrisError('superuser-note', {
    seen: `${file}:${line}: ${text.slice(found.start, found.end).trim()}`,
    required: '`-- verdigris: as superuser because REASON`, in one line.',
    next: 'give the reason; the linter shows it to whoever reviews the file.',
    facts: { file, line },
  });
}
