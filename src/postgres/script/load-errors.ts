import { stat } from 'node:fs/promises';
import pg from 'pg';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { excerpt, fault } from './fault.ts';
import type { ScriptItem } from './split.ts';

export async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new Error('it is a folder');
    return found.size;
  } catch (cause) {
    throw fault(
      'script-unreadable',
      {},
      {
        seen: `The script ${file} cannot be read: ${describe(cause)}.`,
        required: 'a file that this process may read.',
        next: 'check the path.',
        cause,
      },
    );
  }
}

export function refused(item: ScriptItem, error: pg.DatabaseError): VerdigrisError {
  // The server counts characters of the statement; the line is where it points.
  const before =
    error.position === undefined
      ? ''
      : Array.from(item.text)
          .slice(0, Number(error.position) - 1)
          .join('');
  const row = item.kind === 'copy' ? /, line (\d+)/.exec(error.where ?? '')?.[1] : undefined;
  const line =
    item.line +
    before.split('\n').length -
    1 +
    (row === undefined ? 0 : item.text.split('\n').length - 1 + Number(row));
  return fault(
    'script-statement',
    { line, offset: item.offset },
    {
      seen: `Line ${line}: ${error.message}${error.detail === undefined ? '' : ` (${error.detail})`}, in: ${excerpt(item.text)}`,
      required: 'a script that this server carries out from beginning to end.',
      next:
        error.code === '42704' && error.message.startsWith('role ')
          ? 'make the role first, or load with missing roles made.'
          : 'fix the statement, or prepare what it needs; then load into an empty database again.',
      cause: error,
    },
    { sqlstate: error.code, where: error.where, statementLine: item.line },
  );
}

export function secondDatabase(item: ScriptItem, first: string, second: string): VerdigrisError {
  return fault(
    'script-database',
    { line: item.line, offset: item.offset },
    {
      seen: `Line ${item.line} switches to a second database, ${second}, after ${first}.`,
      required: 'a script for one database.',
      next: 'dump the databases one by one with pg_dump in place of pg_dumpall.',
    },
    { first, second },
  );
}

export function loadInterrupted(file: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('script-interrupted', {
    seen: `Loading ${file} was stopped.`,
    required: 'the whole script.',
    next: 'load into an empty database again.',
    cause,
  });
}
