import { skipQuoted } from './quoting.ts';

const identifier = /^(?:"((?:[^"]|"")+)"|([a-z_\x80-\xff][\w$\x80-\xff]*(?:\s*\.\s*[a-z_\x80-\xff][\w$\x80-\xff]*)*))/i;

/**
 * The statements of a query string, without comments and surrounding space; the empty ones left out, as the server
 * leaves them unanswered. The text is latin1, where a byte is a character.
 */
export function split(sql: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let at = 0;
  const take = (end: number) => {
    piece += sql.slice(at, end);
    at = end;
  };
  while (at < sql.length) {
    const next = sql[at] as string;
    const end = skipQuoted(sql, at);
    if (end > at && (next === '-' || next === '/')) {
      piece += ' ';
      at = end;
    } else if (end > at) take(end);
    else if (next === ';') {
      pieces.push(piece);
      piece = '';
      at++;
    } else {
      let plain = at + 1;
      while (plain < sql.length && !`'"$-/;`.includes(sql[plain] as string)) plain++;
      take(plain);
    }
  }
  return [...pieces, piece].map((text) => text.trim()).filter((text) => text !== '');
}

/** A name as the server folds it. `rest` is the text from the name on; other text than a name is its own name. */
export function named(rest: string): string {
  const match = identifier.exec(rest);
  return match
    ? (match[1]?.replaceAll('""', '"') ?? (match[2] as string).toLowerCase().replaceAll(/\s/g, ''))
    : rest.toLowerCase();
}

/** Which setting a SET or RESET is about; undefined for those that end with the transaction. */
export function settingOf(statement: string): string | undefined {
  const rest = statement.replace(/^(?:re)?set\s+/i, '');
  if (/^(?:local|transaction|constraints)\b/i.test(rest)) return undefined;
  if (/^session\s+characteristics\b/i.test(rest)) return rest.toLowerCase();
  if (/^session\s+authorization\b/i.test(rest)) return 'session_authorization';
  const name = rest.replace(/^session\s+/i, '');
  if (/^time\s+zone\b/i.test(name)) return 'timezone';
  if (/^names\b/i.test(name)) return 'client_encoding';
  if (/^schema\b/i.test(name)) return 'search_path';
  if (/^xml\s+option\b/i.test(name)) return 'xmloption';
  return named(name).toLowerCase();
}
