import type { LintRule } from '../rule.ts';

export const longName: LintRule = {
  id: 'identifier-too-long',
  title: 'A name of more than 63 bytes',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why:
    'PostgreSQL cuts names at 63 bytes with a notice only. Two long names that begin alike become one, and ' +
    'software that looks for the whole name does not find it.',
  instead: 'A shorter name.',
  bad: 'CREATE TABLE a_name_that_goes_on_and_on_and_on_and_on_and_on_until_it_is_too_long_for_postgresql (id bigint PRIMARY KEY);',
  good: 'CREATE TABLE a_name (id bigint PRIMARY KEY);',
  file: function* (context) {
    for (const statement of context.statements) {
      if (statement.nested || !hasLongWord(statement.text)) continue;
      for (const token of statement.tokens) {
        const name = token.text.replace(/^"|"$/g, '');
        if (!token.comment && /^"|^[\p{L}_][\p{L}\p{N}_$]*$/u.test(token.text) && Buffer.byteLength(name) > 63) {
          yield {
            message: `It is cut to ${Buffer.from(name).subarray(0, 63).toString()}.`,
            range: { start: token.start, end: token.end },
          };
        }
      }
    }
  },
};

/** Shorter than a name can be, nothing is cut: most statements are passed over by their words' ends alone. */
function hasLongWord(text: string): boolean {
  for (let from = 0; ;) {
    const to = from + 63;
    if (to >= text.length) return false;
    // The last place of the window that ends a word: no word of 64 begins before it.
    let at = to;
    while (at >= from && !wordEnds.includes(text[at] ?? '')) at--;
    if (at < from) return true;
    from = at + 1;
  }
}

const wordEnds = ' \t\n\r\f\v".(),;';
