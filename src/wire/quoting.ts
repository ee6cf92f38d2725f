/**
 * Where what begins at `at` ends, if that is a string, a quoted name, a dollar quote or a comment; otherwise `at`
 * itself. Text is latin1, where a byte is a character. What is not closed ends with the text.
 */
export function skipQuoted(sql: string, at: number): number {
  const next = sql[at];
  if (next === "'" || next === '"') return quoteEnd(sql, at, next);
  if (next === '$') return dollarEnd(sql, at);
  if (sql.startsWith('--', at)) return lineEnd(sql, at);
  return sql.startsWith('/*', at) ? commentEnd(sql, at) : at;
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
  if (!tag) return at;
  const end = sql.indexOf(tag[0], at + tag[0].length);
  return end < 0 ? sql.length : end + tag[0].length;
}

function commentEnd(sql: string, at: number): number {
  let depth = 0;
  for (let end = at; end < sql.length; end++) {
    if (sql.startsWith('/*', end)) {
      depth++;
      end++;
    } else if (sql.startsWith('*/', end) && (end++, --depth === 0)) return end + 1;
  }
  return sql.length;
}

function lineEnd(sql: string, at: number): number {
  const end = sql.indexOf('\n', at);
  return end < 0 ? sql.length : end;
}
