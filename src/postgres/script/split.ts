import type { Block } from './blocks.ts';
import { fault } from './fault.ts';
import { createScanner } from './scanner.ts';

interface Place {
  /** Of its first token, counted from 1. */
  readonly line: number;
  /** Of its first token, in bytes. */
  readonly offset: number;
}

/**
 * One thing to do. A statement's text is without the semicolon and without comments before it; a meta-command's is its
 * line from the backslash on.
 */
export type ScriptItem =
  | (Place & { readonly kind: 'sql' | 'meta'; readonly text: string })
  /** `data` is the rows up to `\.`, in pieces of whole lines; what the reader leaves is skipped. */
  | (Place & { readonly kind: 'copy'; readonly text: string; readonly data: AsyncIterable<Buffer> });

/**
 * Splits a script as psql does, without holding more of it than one statement. A last statement without a semicolon
 * counts.
 * @throws VerdigrisError `script-cut-short` where a string, comment or COPY is open at the end.
 */
export async function* splitScript(blocks: AsyncIterable<Block>): AsyncGenerator<ScriptItem> {
  const source = blocks[Symbol.asyncIterator]();
  const scanner = createScanner();
  let block: Block | undefined;
  let text = '';
  let at = 0;
  let lines = { index: 0, line: 1 };
  let open: { what: string; line: number } | undefined;
  let started: Place | undefined;
  let pieces: Buffer[] = [];
  let copying = false;

  try {
    while (await more()) {
      if (text === '') text = bytes().toString('latin1');
      const from = at;
      const stop = scanner.scan(text, from);
      if (!started && scanner.begun >= 0) started = { line: lineAt(scanner.begun), offset: offsetOf(scanner.begun) };
      // The first token's place, where it is in this block; a statement from an earlier block goes on from its start.
      if (started) pieces.push(bytes().subarray(Math.max(from, started.offset - offsetOf(0)), stop.at));
      const opened = scanner.open();
      if (!opened) open = undefined;
      else if (opened.at >= 0) open = { what: opened.what, line: lineAt(opened.at) };
      at = stop.at;
      if (stop.kind === 'backslash') yield meta();
      if (stop.kind === 'semicolon') {
        at += 1;
        if (started) yield* statement(started);
        scanner.reset();
        [started, pieces] = [undefined, []];
      }
    }
    if (open) throw cutShort(`${open.what} that begins at line ${open.line} never ends`, open.line);
    if (started) yield* statement(started);
  } finally {
    await source.return?.(undefined);
  }

  /** Whether there is anything left, after going on to the next block where this one is used up. */
  async function more(): Promise<boolean> {
    while (!block || at >= block.bytes.length) {
      if (block) lineAt(block.bytes.length);
      const { value, done } = await source.next();
      if (done === true) return false;
      [block, text, at, lines] = [value, '', 0, { index: 0, line: lines.line }];
    }
    return true;
  }

  function bytes(): Buffer {
    if (!block) throw new Error('no block');
    return block.bytes;
  }

  function offsetOf(index: number): number {
    return (block?.offset ?? 0) + index;
  }

  /** The line of a place in the block; places are asked for in order. */
  function lineAt(index: number): number {
    for (let next = bytes().indexOf(10, lines.index); next >= 0 && next < index; next = bytes().indexOf(10, next + 1))
      lines = { index: next + 1, line: lines.line + 1 };
    return lines.line;
  }

  function meta(): ScriptItem {
    const line = lineAt(at);
    const end = lineEnd(at);
    const words = bytes().subarray(at, end).toString('utf8').trim();
    if (started) {
      throw fault(
        'script-meta-in-statement',
        { line },
        {
          seen: `Line ${line} has a backslash, as of a psql command, inside the statement that begins at line ${started.line}: ${words.slice(0, 60)}`,
          required: 'statements that end with a semicolon, and psql commands between them.',
          next: `end the statement of line ${started.line} before line ${line}.`,
        },
      );
    }
    const item = { kind: 'meta', text: words, line, offset: offsetOf(at) } as const;
    at = end;
    return item;
  }

  async function* statement(place: Place): AsyncGenerator<ScriptItem> {
    const sql = Buffer.concat(pieces).toString('utf8').trimEnd();
    const setting =
      /^SET\s+(?:SESSION\s+|LOCAL\s+)?standard_conforming_strings(?:\s*=\s*|\s+TO\s+)'?(on|off|true|false)\b/i.exec(
        sql,
      )?.[1];
    if (setting !== undefined) scanner.standardStrings = /^(on|true)$/i.test(setting);
    if (!copiesFromStdin(sql)) {
      yield { kind: 'sql', text: sql, ...place };
      return;
    }
    const end = lineEnd(at);
    const rest = block ? bytes().subarray(at, end).toString('utf8').trim() : '';
    if (rest !== '' && !rest.startsWith('--')) {
      throw fault(
        'script-after-copy',
        { line: place.line },
        {
          seen: `Line ${place.line} goes on after COPY … FROM stdin: ${rest.slice(0, 60)}`,
          required: "COPY's rows on the line after it.",
          next: 'begin a new line after the semicolon.',
        },
      );
    }
    at = Math.min(end + 1, block ? bytes().length : 0);
    copying = true;
    yield { kind: 'copy', text: sql, data: copyData(place), ...place };
    // A reader who leaves early ends its iterator; another one goes on where that ended.
    if (copying) for await (const skipped of copyData(place)) void skipped;
  }

  async function* copyData(place: Place): AsyncGenerator<Buffer> {
    while (await more()) {
      const [start, length] = [at, bytes().length];
      let end = length;
      while (at < length) {
        const next = lineEnd(at);
        const ends =
          bytes()[at] === 0x5c &&
          /^\\\.\r?$/.test(
            bytes()
              .subarray(at, Math.min(next, at + 4))
              .toString('latin1'),
          );
        if (ends) end = at;
        at = Math.min(next + 1, length);
        if (ends) break;
      }
      copying = end === length;
      if (end > start) yield bytes().subarray(start, end);
      if (!copying) return;
    }
    throw cutShort(`the rows of COPY at line ${place.line} have no end (\\.)`, place.line);
  }

  /** Index of the line's end, without its newline. */
  function lineEnd(from: number): number {
    const next = bytes().indexOf(10, from);
    return next < 0 ? bytes().length : next;
  }
}

/** By what is outside of quotes: a name may hold anything. */
function copiesFromStdin(sql: string): boolean {
  return /^COPY\s[^;]*?\sFROM\s+STDIN\b/i.test(sql.replace(/"(?:[^"]|"")*"/g, '""'));
}

function cutShort(what: string, line: number): Error {
  return fault(
    'script-cut-short',
    { line },
    {
      seen: `The script ends too early: ${what}.`,
      required: 'a whole script.',
      next: 'compare its size with the original, or make it again.',
    },
  );
}
