import type { SchemaDifference } from './diff.ts';
import { lineDiff } from './lines.ts';

/** Lines of a definition that are shown at most; a person wants to see what it is, not all of it. */
const shownLines = 12;

/** `changed function app.total(integer)` and, indented, the lines that differ: `-` as it was, `+` as it is. */
export function describeSchemaDifference({
  change,
  kind,
  identity,
  before = '',
  after = '',
}: SchemaDifference): string {
  const head = `${change} ${kind} ${identity}`;
  const lines = change === 'changed' ? lineDiff(before, after) : [];
  const more = lines.length - shownLines;
  const shown = more > 0 ? [...lines.slice(0, shownLines), `… ${more} more`] : lines;
  return [head, ...shown.map((line) => `    ${line}`)].join('\n');
}
