import { stripVTControlCharacters } from 'node:util';

/**
 * Columns under their names, as wide as what is in them; the last is not filled up. Where they have no room beside each
 * other, each row is a block of its own, a value a line.
 */
export function table(
  head: readonly string[],
  body: readonly (readonly string[])[],
  columns = process.stdout.columns || Infinity,
): string {
  const all = [head, ...body];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  if (widths.reduce((sum, each) => sum + each + 2, -2) > columns) return blocks(head, body);
  return all
    .map((row) =>
      row
        .map((cell, column) => `${cell}${' '.repeat((widths[column] ?? 0) - width(cell))}`)
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function blocks(head: readonly string[], body: readonly (readonly string[])[]): string {
  const label = Math.max(...head.map(width));
  return body
    .map((row) => row.map((cell, column) => `${(head[column] ?? '').padEnd(label)}  ${cell}`).join('\n'))
    .join('\n\n');
}

function width(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
