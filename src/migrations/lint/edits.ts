import type { LintContext } from './context.ts';
import type { Edit } from './finding.ts';

/** `words` after the first place of the statement that matches; undefined where none does. */
export function insertAfter({ statement }: LintContext, place: RegExp, words: string): Edit | undefined {
  const found = place.exec(statement.text);
  if (!found) return undefined;
  const at = statement.range.start + Buffer.byteLength(statement.text.slice(0, found.index + found[0].length));
  return { start: at, end: at, text: words, does: `write ${words.trim()}` };
}

/** The first place of the statement that matches, in other words. */
export function replaceIn({ statement }: LintContext, place: RegExp, words: string): Edit | undefined {
  const found = place.exec(statement.text);
  if (!found) return undefined;
  const start = statement.range.start + Buffer.byteLength(statement.text.slice(0, found.index));
  const gone = found[0].trim();
  return {
    start,
    end: start + Buffer.byteLength(found[0]),
    text: words,
    does: words.trim() === '' ? `take ${gone} away` : `write ${words.trim()} in place of ${gone}`,
  };
}

/** Another statement after this one. */
export function statementAfter({ statement }: LintContext, sql: string): Edit {
  const at = statement.range.end;
  return { start: at, end: at, text: `;\n${sql.replace(/;$/, '')}`, does: `add ${sql}` };
}

/** The file is this statement alone, so that it may run without a transaction as well as in one. */
export function isAlone({ statements }: LintContext): boolean {
  return statements.length === 1;
}
