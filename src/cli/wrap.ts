import { stripVTControlCharacters } from 'node:util';
import wrapAnsi from 'wrap-ansi';

/** Columns that text has at the least, however deep it is indented. */
const narrowest = 20;

/**
 * Text no wider than a terminal, at words; what goes on is put below the line's own beginning, or below what follows
 * its label.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

/** A label and two spaces, as `disk free  journal`; escapes of colours, which have no width, may end between them. */
const labelled = /^ *(?:(?:\S+ )*\S+ {2,}(?:\u001b\[[\d;]*m *)?)?/;
/** The mark of a step or a finding, which its text hangs behind. */
const marked = /^ *(?:(?:\u001b\[[\d;]*m)*[✓↩✗·!](?:\u001b\[[\d;]*m)* )?/;
/** Columns; what has two spaces further on is no label. */
const widestLabel = 24;

function wrapLine(line: string, columns: number): string {
  const [label = ''] = labelled.exec(line) ?? [];
  const [indent = ''] = marked.exec(line) ?? [];
  const beginning = width(label) <= widestLabel && label.trim() !== '' ? label : indent;
  const hanging = columns - width(beginning) >= narrowest ? beginning : (/^ */.exec(line)?.[0] ?? '');
  const room = Math.max(narrowest, columns - width(hanging));
  return (
    hanging +
    wrapAnsi(line.slice(hanging.length), room, { trim: false, hard: true }).replaceAll(
      / *((?:\u001b\[[\d;]*m)*)\n((?:\u001b\[[\d;]*m)*) */g,
      `$1\n${' '.repeat(width(hanging))}$2`,
    )
  );
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
