import { isUtf8 } from 'node:buffer';
import { asksForNoTransaction } from '../transaction-note.ts';
import { upPart } from '../up-part.ts';
import type { Position } from './finding.ts';

/** Bytes that are not UTF-8, with where and what it may be instead. */
export interface EncodingProblem {
  readonly byte: number;
  readonly message: string;
  /** Verdigris reads the file all the same. */
  readonly read?: true;
}

/**
 * A migration's text with its positions. The parser counts bytes, its error cursor counts characters, editors count
 * lines and columns: this is the only place that turns one into the other.
 */
export class Source {
  readonly path: string;
  /** The way up alone: everything else is blanked, so that offsets are the file's. */
  readonly text: string;
  /** Its engine is asked not to wrap it in a transaction. */
  readonly noTransaction: boolean;
  /** What is wrong with the bytes; `text` is then empty or, for a byte order mark, without it. */
  readonly problem: EncodingProblem | undefined;
  readonly #bytes: Buffer;
  readonly #lines: number[] = [0];

  constructor(path: string, input: string | Uint8Array) {
    this.path = path;
    const bytes =
      typeof input === 'string'
        ? Buffer.from(input, 'utf8')
        : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    this.problem = encodingProblem(bytes);
    const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    // Blanks keep every later offset what it is in the file; a marker in the first line begins behind them.
    const blanks = mark ? '   ' : '';
    const marked = mark ? bytes.subarray(3) : bytes;
    this.#bytes = mark ? Buffer.concat([Buffer.from(blanks), marked]) : bytes;
    const whole = this.problem && !mark ? '' : marked.toString('utf8');
    this.text = blanks + upPart(whole).text;
    this.noTransaction = asksForNoTransaction(whole);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) this.#lines.push(at + 1);
  }

  get length(): number {
    return this.#bytes.length;
  }

  slice(start: number, end: number): string {
    return this.#bytes.toString('utf8', start, end);
  }

  position(byte: number): Position {
    const at = Math.max(0, Math.min(byte, this.#bytes.length));
    let low = 0;
    for (let high = this.#lines.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    const start = this.#lines[low] ?? 0;
    // The carriage return of a line's end has no column of its own.
    const shown = this.#bytes[at - 1] === 13 && (at === this.#bytes.length || this.#bytes[at] === 10) ? at - 1 : at;
    return { byte: at, line: low + 1, column: characters(this.#bytes, start, Math.max(start, shown)) + 1 };
  }

  line(number: number): string {
    const start = this.#lines[number - 1] ?? this.#bytes.length;
    const end = this.#lines[number] ?? this.#bytes.length + 1;
    return this.#bytes.toString('utf8', start, end - 1).replace(/\r$/, '');
  }

  /** The byte where the n-th character begins. */
  byteOfCharacter(count: number): number {
    let seen = 0;
    for (let at = 0; at < this.#bytes.length; at++) {
      if (isStart(this.#bytes[at]) && seen++ === count) return at;
    }
    return this.#bytes.length;
  }
}

function isStart(byte: number | undefined): boolean {
  return ((byte ?? 0) & 0xc0) !== 0x80;
}

function characters(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (isStart(bytes[at])) count++;
  return count;
}

function encodingProblem(bytes: Buffer): EncodingProblem | undefined {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { byte: 0, message: 'The file is UTF-16: PostgreSQL cannot read it.' };
  }
  const bad = firstInvalid(bytes);
  if (bad !== undefined) {
    return {
      byte: bad,
      message: `Byte ${bad} is 0x${bytes[bad]?.toString(16).padStart(2, '0')}: no valid UTF-8 (Latin-1 or Windows-1252, most likely).`,
    };
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0)
    return {
      byte: nul,
      message: `Byte ${nul} is NUL: PostgreSQL takes no NUL in a statement, and what follows it would be dropped.`,
    };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return {
      byte: 0,
      message:
        'The file begins with a byte order mark: Verdigris and psql skip it, most drivers send it and get a syntax ' +
        'error.',
      read: true,
    };
  }
  return undefined;
}

/** Offset of the first byte that begins no valid UTF-8 sequence. */
function firstInvalid(bytes: Buffer): number | undefined {
  if (isUtf8(bytes)) return undefined;
  // Halving on prefixes: a prefix is good if it decodes as the beginning of a stream.
  let good = 0;
  for (let bad = bytes.length; good + 1 < bad;) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  // A stream may end inside a sequence; the fault is then where that sequence begins.
  let at = good;
  while (at > 0 && good - at < 4 && !isUtf8(bytes.subarray(0, at))) at--;
  return at;
}

function decodes(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
