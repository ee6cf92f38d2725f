import { startTracker, type BodyTracker } from './body.ts';

type Mode = 'plain' | 'single' | 'escape' | 'escape-ended' | 'double' | 'dollar' | 'line-comment' | 'block-comment';

/**
 * Where scanning stopped: at a semicolon that ends a statement, at a backslash that begins a meta-command, or at the
 * end of the text.
 */
export interface Stop {
  readonly kind: 'semicolon' | 'backslash' | 'end';
  readonly at: number;
}

/**
 * PostgreSQL's lexical rules, as far as they say where a statement ends. Text is latin1, one character a byte: whatever
 * matters here is ASCII, and so places are byte offsets. What is open at the end of one piece goes on in the next.
 */
export interface Scanner {
  scan(text: string, from: number): Stop;
  /** Place of the statement's first token in the text scanned last; -1 where there is none in it. */
  begun: number;
  /** What is open, and where it was opened in the text scanned last (-1: in an earlier one). */
  open(): { readonly what: string; readonly at: number } | undefined;
  /** Forgets the statement, for the next one. */
  reset(): void;
  /** False: backslashes escape in every string (standard_conforming_strings = off, which old dumps set). */
  standardStrings: boolean;
}

const identifier = /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y;
/** PostgreSQL's own: \s would take the byte A0 of a longer character. */
const space = /[ \t\n\r\f\v]+/y;
/** What is neither space nor the beginning of anything: taken together, for speed. */
const dull = /[0-9,.=+<>:|!%&[\]{}?@#^~`]+/y;
const dollarTag = /\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$/y;
const names: Readonly<Partial<Record<Mode, string>>> = {
  single: 'a string',
  escape: 'a string',
  double: 'a quoted name',
  dollar: 'a dollar-quoted string',
  'block-comment': 'a comment',
};

export function createScanner(): Scanner {
  let mode: Mode = 'plain';
  let tag = '';
  let comments = 0;
  let parentheses = 0;
  let newline = false;
  let openedAt = -1;
  let body: BodyTracker = startTracker();

  const scanner: Scanner = { scan, begun: -1, open, reset, standardStrings: true };
  return scanner;

  function reset(): void {
    scanner.begun = -1;
    parentheses = 0;
    body = startTracker();
  }

  function open(): { what: string; at: number } | undefined {
    const what = names[mode];
    return what === undefined ? undefined : { what, at: openedAt };
  }

  function enter(next: Mode, at: number): void {
    mode = next;
    openedAt = at;
  }

  function match(pattern: RegExp, text: string, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  }

  function past(pattern: RegExp, text: string, at: number): number {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : at;
  }

  function scan(text: string, from: number): Stop {
    scanner.begun = -1;
    openedAt = -1;
    for (let at = from; at < text.length;) {
      if (mode === 'plain') {
        at = past(space, text, at);
        if (at === text.length) break;
        const character = text.charAt(at);
        if (character === '-' && text[at + 1] === '-') enter('line-comment', at);
        else if (character === '/' && text[at + 1] === '*') {
          enter('block-comment', at);
          [comments, at] = [1, at + 2];
        } else if (character === '\\') return { kind: 'backslash', at };
        else if (character === ';' && parentheses === 0 && !body.inside()) return { kind: 'semicolon', at };
        else {
          if (scanner.begun < 0) scanner.begun = at;
          at = token(text, at, character);
        }
      } else at = quoted(text, at);
    }
    return { kind: 'end', at: text.length };
  }

  /** One token of the statement, or the opening of a quoted one; the place after it. */
  function token(text: string, at: number, character: string): number {
    if (character === "'") enter(scanner.standardStrings ? 'single' : 'escape', at);
    else if (character === '"') enter('double', at);
    else if (character === '(') parentheses += 1;
    else if (character === ')') parentheses = Math.max(0, parentheses - 1);
    else if (character === '$') {
      const opening = match(dollarTag, text, at);
      if (opening !== undefined) {
        enter('dollar', at);
        tag = opening;
        return at + opening.length;
      }
    } else {
      const word = match(identifier, text, at);
      if (word === undefined) return Math.max(past(dull, text, at), at + 1);
      if (/^e$/i.test(word) && text[at + 1] === "'") {
        enter('escape', at);
        return at + 2;
      }
      body.word(word, parentheses);
      return at + word.length;
    }
    return at + 1;
  }

  /** Goes on in a string, quoted name or comment; the place where plain text begins again, or the end. */
  function quoted(text: string, at: number): number {
    const until = (closing: string): number => {
      const found = text.indexOf(closing, at);
      if (found < 0) return text.length;
      mode = 'plain';
      return found + closing.length;
    };
    switch (mode) {
      // A doubled quote closes and opens again, which comes to the same.
      case 'single':
        return until("'");
      case 'double':
        return until('"');
      case 'dollar':
        return until(tag);
      case 'line-comment':
        return until('\n');
      case 'block-comment':
        return comment(text, at);
      case 'escape':
        return escaped(text, at);
      default:
        return escapeEnded(text, at);
    }
  }

  /** Comments nest. */
  function comment(text: string, at: number): number {
    const edge = /\/\*|\*\//g;
    edge.lastIndex = at;
    const found = edge.exec(text);
    if (!found) return text.length;
    comments += found[0] === '/*' ? 1 : -1;
    if (comments === 0) mode = 'plain';
    return edge.lastIndex;
  }

  function escaped(text: string, at: number): number {
    const edge = /['\\]/g;
    edge.lastIndex = at;
    const found = edge.exec(text);
    if (!found) return text.length;
    if (found[0] === '\\' || text[found.index + 1] === "'") return Math.min(found.index + 2, text.length);
    [mode, newline] = ['escape-ended', false];
    return found.index + 1;
  }

  /** A string that follows on a new line continues the one before it, and with its rule for backslashes. */
  function escapeEnded(text: string, at: number): number {
    const next = past(space, text, at);
    if (next > at) {
      newline ||= /[\n\r]/.test(text.slice(at, next));
      return next;
    }
    const character = text.charAt(at);
    if (character === "'" && newline) {
      enter('escape', at);
      return at + 1;
    }
    mode = 'plain';
    return at;
  }
}
