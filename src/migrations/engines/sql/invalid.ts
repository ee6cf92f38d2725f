import { SqlError } from 'libpg-query';
import type { ErrorId } from '../../../model/error-catalogue.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { copyData } from '../../lint/recover.ts';

/** What a text that PostgreSQL's parser refused is: a script for psql, or wrong. */
export function unparsed(file: string, text: string, cause: unknown): VerdigrisError {
  const meta = /^\s*\\\w+/m.exec(text);
  if (!meta) return copiedData(file, text, cause) ?? syntax(file, text, cause);
  return invalidScript(
    file,
    'psql-command',
    `${file}:${lineAt(text, meta.index + meta[0].search(/\\/))}: ${meta[0].trim()} is a command of psql, not SQL.`,
    'SQL only.',
    'take it out, or run the file with an engine that calls psql.',
  );
}

export function forbidden(file: string, line: number, why: string): VerdigrisError {
  return invalidScript(
    file,
    'migration-forbidden',
    `${file}:${line}: this statement ${why}.`,
    'statements that change this database only; transactions of plain BEGIN and COMMIT.',
    'take it out of the migration.',
  );
}

/** Rows behind a COPY … FROM stdin: the parser stops at the first. */
function copiedData(file: string, text: string, cause: unknown): VerdigrisError | undefined {
  const at = cause instanceof SqlError ? Math.max(0, cause.sqlDetails?.cursorPosition ?? 0) : 0;
  const before = [...text].slice(0, at).join('').length;
  if (!copyData(text, before)) return undefined;
  return invalidScript(
    file,
    'psql-command',
    `${file}:${lineAt(text, before)}: rows of a COPY … FROM stdin, which psql sends and no server reads from a file.`,
    'SQL only.',
    'write the rows as INSERT … VALUES, or run the file with an engine that calls psql.',
    cause,
  );
}

function syntax(file: string, text: string, cause: unknown): VerdigrisError {
  const details = cause instanceof SqlError ? cause.sqlDetails : undefined;
  // PostgreSQL counts characters, a string here counts UTF-16 units.
  const before = [...text].slice(0, Math.max(0, details?.cursorPosition ?? 0)).join('');
  const line = lineAt(before, before.length);
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
  return invalidScript(
    file,
    'sql-syntax',
    `${file}:${line}:${column}: ${details?.message ?? String(cause)}.\n` +
      `  ${(text.split('\n')[line - 1] ?? '').trimEnd()}\n` +
      `  ${' '.repeat(Math.max(0, column - 1))}^\n`,
    'SQL that PostgreSQL parses.',
    'fix it there.',
    cause,
  );
}

/** Counted from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

export function invalidScript(
  file: string,
  id: ErrorId,
  seen: string,
  required: string,
  next: string,
  cause?: unknown,
): VerdigrisError {
  return new VerdigrisError(id, { seen, required, next, facts: { file }, cause });
}
