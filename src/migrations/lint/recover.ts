import { blank } from '../up-part.ts';
import { tokensOf } from './tokens.ts';

export interface Blanked {
  readonly text: string;
}

function blankBetween(text: string, start: number, end: number): string {
  return text.slice(0, start) + blank(text.slice(start, end)) + text.slice(end);
}

export function blankToLineEnd(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return blankBetween(text, at, end < 0 ? text.length : end);
}

/**
 * Blanks the statement that holds `at`: from the semicolon before it to the one after it, by PostgreSQL's own tokens
 * where they can be had.
 */
export function blankStatement(text: string, at: number): string {
  const before = tokensOf(text.slice(0, at), 0);
  const opened = before.length > 0 || text.slice(0, at).trim() === '';
  const last = before.findLast((token) => token.text === ';')?.end ?? 0;
  const start = opened
    ? Buffer.from(text).subarray(0, last).toString().length
    : Math.max(text.lastIndexOf(';', at - 1) + 1, 0);
  const ends = tokensOf(text.slice(at), 0);
  const semicolon = ends.find((token) => token.text === ';')?.end;
  const end =
    semicolon === undefined
      ? afterNextSemicolon(text, at, ends.length > 0)
      : at + Buffer.from(text.slice(at)).subarray(0, semicolon).toString().length;
  return blankBetween(text, start, end);
}

function afterNextSemicolon(text: string, at: number, scanned: boolean): number {
  // Where the scanner gave up (an open quote), the next semicolon at a line's end is the best guess there is.
  const next = scanned ? -1 : text.slice(at).search(/;[ \t]*(?:\r?\n|$)/);
  return next < 0 ? text.length : at + next + 1;
}

/** Blanks the data lines of the `COPY … FROM stdin;` that ends just before `at`, where there is one. */
export function copyData(text: string, at: number): Blanked | undefined {
  const head = text.slice(0, at);
  const copy = /\bCOPY\b[^;]*\bFROM\s+stdin\b[^;]*;[ \t]*\r?\n/gi;
  let from = -1;
  for (let found = copy.exec(head); found; found = copy.exec(head)) from = found.index + found[0].length;
  if (from < 0) return undefined;
  const end = /^\\\.[ \t]*\r?$/m.exec(text.slice(from));
  if (!end || from + end.index + end[0].length < at) return undefined;
  return { text: blankBetween(text, from, from + end.index + end[0].length) };
}
