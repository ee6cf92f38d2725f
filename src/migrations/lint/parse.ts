import { parseSync, SqlError } from 'libpg-query';
import { blankStatement, blankToLineEnd, copyData, type Blanked } from './recover.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import { Statement } from './statement.ts';

/** What kept a part of the file from being parsed. */
export interface ParseProblem {
  readonly rule: 'syntax' | 'psql-command';
  readonly message: string;
  readonly range: Range;
}

export interface Parsed {
  readonly statements: readonly Statement[];
  readonly problems: readonly ParseProblem[];
}

/** Faults reported per file: after these, a file is no SQL and more messages help nobody. */
const problemLimit = 20;

/**
 * Parses a file with PostgreSQL's parser. What it refuses is reported, blanked (offsets stay) and the rest parsed
 * again, so that one fault does not hide the next. `loadModule` must have been awaited.
 */
export function parseFile(source: Source): Parsed {
  const problems: ParseProblem[] = [];
  let text = source.text;
  const filled = withoutPlaceholders(text);
  const first = filled === text ? undefined : tryParse(text);
  if (first && !('statements' in first) && 'statements' in tryParse(filled)) {
    // Flyway fills them in by itself; of another tool's file it has to be known that something does.
    if (!isFlyway(source.path)) problems.push(placeholder(text));
    text = filled;
  }
  while (text.trim() !== '') {
    const attempt = tryParse(text);
    if ('statements' in attempt) return { statements: statementsOf(source, attempt.statements), problems };
    const blanked = diagnose(source, text, attempt);
    problems.push(blanked.problem);
    if (problems.length >= problemLimit || blanked.text === text) return { statements: [], problems };
    text = blanked.text;
  }
  return { statements: [], problems };
}

const placeholders = /\$\{[\w.:-]+\}/g;

/** A name of the same length in place of each, so that offsets stay. */
function withoutPlaceholders(text: string): string {
  return text.replaceAll(placeholders, (found) => found.replaceAll(/\W/g, '_'));
}

function isFlyway(file: string): boolean {
  return /(?:^|[\\/])(?:[VU][\d._]+|R)__[^\\/]*$/.test(file);
}

function placeholder(text: string): ParseProblem {
  const [found = ''] = text.match(placeholders) ?? [];
  const start = Buffer.byteLength(text.slice(0, text.indexOf(found)));
  return {
    rule: 'syntax',
    range: { start, end: start + found.length },
    message: `${found} is filled in by whoever runs the file, which Verdigris and PostgreSQL do not. The rest is read as if a name stood there.`,
  };
}

interface Failure {
  readonly message: string;
  /** In characters, as PostgreSQL counts its error cursor. */
  readonly cursor: number;
}

type Raw = NonNullable<ReturnType<typeof parseSync>['stmts']>;

/** One call of the parser; its own stack overflowing on absurd nesting is a failure like another. */
export function tryParse(text: string): { readonly statements: Raw } | Failure {
  try {
    return { statements: parseSync(text).stmts ?? [] };
  } catch (error) {
    if (error instanceof SqlError || (error as Error).name === 'SqlError') {
      return { message: (error as SqlError).message, cursor: (error as SqlError).sqlDetails?.cursorPosition ?? 0 };
    }
    return { message: 'the statement is nested too deeply for the parser', cursor: 0 };
  }
}

function diagnose(source: Source, text: string, failure: Failure): Blanked & { readonly problem: ParseProblem } {
  const characters = [...text];
  const at = Math.min(failure.cursor, characters.length);
  const start = source.byteOfCharacter(at);
  const before = characters.slice(0, at).join('').length;
  const copied = copyData(text, before);
  if (copied) {
    return {
      text: copied.text,
      problem: {
        rule: 'psql-command',
        range: { start, end: start + 1 },
        message: 'COPY … FROM stdin with its data in the file is read by psql alone: no other engine can run it.',
      },
    };
  }
  const word = /^\\\S*/.exec(text.slice(before))?.[0];
  if (word !== undefined) {
    const message = `${word} is a command of psql, not SQL: only psql understands it, and the migration would stop here.`;
    return {
      text: blankToLineEnd(text, before),
      problem: { rule: 'psql-command', range: { start, end: start + Buffer.byteLength(word) }, message },
    };
  }
  const token = /^(?:[\p{L}\p{N}_$]+|\S)/u.exec(text.slice(before))?.[0] ?? '';
  return {
    text: blankStatement(text, before),
    problem: {
      rule: 'syntax',
      range: { start, end: start + Math.max(Buffer.byteLength(token), 1) },
      message: sentence(failure.message),
    },
  };
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

function statementsOf(source: Source, raw: Raw): Statement[] {
  return raw.flatMap((one) => {
    if (!one.stmt) return [];
    const from = one.stmt_location ?? 0;
    const to = one.stmt_len ? from + one.stmt_len : source.length;
    return [new Statement(source, one.stmt, trimmed(source, from, to))];
  });
}

/** Without the white space, comments and semicolon around it: a caret points at the statement's own words. */
export function trimmed(source: Source, from: number, to: number): Range {
  const text = source.slice(from, to);
  const lead = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)?.[0] ?? '';
  const rest = text.slice(lead.length).replace(/[\s;]+$/, '');
  const start = from + Buffer.byteLength(lead);
  return { start, end: start + Buffer.byteLength(rest) };
}
