import wrapAnsi from 'wrap-ansi';

/** Columns that text has at the least, however deep it is indented. */
const narrowest = 20;

/**
 * Text no wider than a terminal, at words; what goes on stands below the line's own beginning, or below what follows
 * its label.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  // A label and two spaces, as `replication  blue → green`; escapes of colours have no width.
  const [beginning = ''] = /^ *(?:\S+ {2,})?/.exec(line) ?? [];
  const [indent = ''] = /^ */.exec(line) ?? [];
  const hanging = columns - beginning.length >= narrowest ? beginning : indent;
  const room = Math.max(narrowest, columns - hanging.length);
  return (
    hanging +
    wrapAnsi(line.slice(hanging.length), room, { trim: false, hard: true }).replaceAll(
      / *\n */g,
      `\n${' '.repeat(hanging.length)}`,
    )
  );
}
