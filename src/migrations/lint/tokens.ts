import { lexemeEnd } from './lexeme.ts';
import type { Range } from './range.ts';

export interface Token extends Range {
  readonly text: string;
  readonly comment: boolean;
}

/** PostgreSQL's tokens, comments included; none where its scanner gives up. Offsets are bytes, moved by `base`. */
export function tokensOf(text: string, base: number): Token[] {
  const tokens: Token[] = [];
  let start = base;
  const ascii = Buffer.byteLength(text) === text.length;
  for (let at = 0; at < text.length;) {
    const to = lexemeEnd(text, at);
    if (to === undefined) return [];
    const word = text.slice(at, to);
    const end = start + (ascii ? word.length : Buffer.byteLength(word));
    const comment = word.startsWith('--') || word.startsWith('/*');
    if (comment || !blank.test(word)) tokens.push({ start, end, text: word, comment });
    [start, at] = [end, to];
  }
  return tokens;
}

/** The one that holds a byte; they are in order. */
export function tokenAt(tokens: readonly Token[], byte: number): Token | undefined {
  let low = 0;
  for (let high = tokens.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.end ?? 0) <= byte) low = middle + 1;
    else high = middle;
  }
  const found = tokens[low];
  return found && found.start <= byte ? found : undefined;
}

const blank = /^[ \t\n\r\f\v]/;

/**
 * The comma-separated commands of an ALTER statement, from the token after the table's name. The parse tree has no
 * location for most of them. Undefined where the count is not the expected one.
 */
export function commandRanges(tokens: readonly Token[], nameAt: number, count: number): Range[] | undefined {
  const words = tokens.filter((token) => !token.comment);
  let index = words.findIndex((token) => token.start === nameAt) + 1;
  if (index === 0) return undefined;
  while (words[index]?.text === '.') index += 2;
  while (words[index]?.text === '*' || words[index]?.text === ')') index++;
  const ranges: Range[] = [];
  let depth = 0;
  let first = words[index];
  for (; index < words.length; index++) {
    const token = words[index] as Token;
    if (token.text === '(' || token.text === '[') depth++;
    else if (token.text === ')' || token.text === ']') depth--;
    else if (token.text === ',' && depth === 0 && first) {
      ranges.push({ start: first.start, end: (words[index - 1] as Token).end });
      first = words[index + 1];
    }
  }
  const last = words.at(-1);
  if (first && last) ranges.push({ start: first.start, end: last.end });
  return ranges.length === count ? ranges : undefined;
}
