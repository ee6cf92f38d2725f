const identifier = /^(?:"((?:[^"]|"")+)"|([a-z_\x80-\xff][\w$\x80-\xff]*(?:\s*\.\s*[a-z_\x80-\xff][\w$\x80-\xff]*)*))/i;

/**
 * The statements of a query string, without comments and surrounding space; the empty ones left out, as the server leaves them
 * unanswered. The text is latin1, where a byte is a character.
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
    if (next === "'" || next === '"') take(quoteEnd(sql, at, next));
    else if (next === '$') take(dollarEnd(sql, at));
    else if (sql.startsWith('--', at)) {
      piece += ' ';
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end;
    } else if (sql.startsWith('/*', at)) {
      piece += ' ';
      at = commentEnd(sql, at);
    } else if (next === ';') {
      pieces.push(piece);
      piece = '';
      at++;
    } else {
      let end = at + 1;
      while (end < sql.length && !`'"$-/;`.includes(sql[end] as string)) end++;
      take(end);
    }
  }
  return [...pieces, piece].map((text) => text.trim()).filter((text) => text !== '');
}

function quoteEnd(sql: string, at: number, quote: string): number {
  const escapes = quote === "'" && /(?:^|[^\w$\x80-\xff])e$/i.test(sql.slice(Math.max(0, at - 2), at));
  for (let end = at + 1; end < sql.length; end++) {
    if (escapes && sql[end] === '\\') end++;
    else if (sql[end] === quote) {
      if (sql[end + 1] !== quote) return end + 1;
      end++;
    }
  }
  return sql.length;
}

function dollarEnd(sql: string, at: number): number {
  const tag = /[\w\x80-\xff]/.test(sql[at - 1] ?? '')
    ? null
    : /^\$(?:[a-z_\x80-\xff][\w\x80-\xff]*)?\$/i.exec(sql.slice(at, at + 70));
  if (!tag) return at + 1;
  const end = sql.indexOf(tag[0], at + tag[0].length);
  return end < 0 ? sql.length : end + tag[0].length;
}

function commentEnd(sql: string, at: number): number {
  let depth = 0;
  for (let end = at; end < sql.length; end++) {
    if (sql.startsWith('/*', end)) (depth++, end++);
    else if (sql.startsWith('*/', end) && (end++, --depth === 0)) return end + 1;
  }
  return sql.length;
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
