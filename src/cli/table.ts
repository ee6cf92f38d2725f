import { stripVTControlCharacters } from 'node:util';

/** Columns under their names, as wide as what is in them; the last is not filled up. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const all = [head, ...body];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all
    .map((row) =>
      row
        .map((cell, column) => `${cell}${' '.repeat((widths[column] ?? 0) - width(cell))}`)
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function width(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
