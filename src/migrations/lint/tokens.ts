import { scanSync } from 'libpg-query';
import type { Range } from './range.ts';

export interface Token extends Range {
  readonly text: string;
  readonly comment: boolean;
}

/** PostgreSQL's tokens, comments included; none where its scanner gives up. Offsets are bytes, moved by `base`. */
export function tokensOf(text: string, base: number): Token[] {
  try {
    return scanSync(text).tokens.map(({ start, end, text: word, tokenName }) => ({
      start: start + base,
      end: end + base,
      text: word,
      comment: tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT',
    }));
  } catch {
    return [];
  }
}

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
