import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ErrorId } from '../../../model/error-catalogue.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { asksForNoTransaction } from '../../transaction-note.ts';
import { upPart } from '../../up-part.ts';
import { formatOf, type Format } from '../native/format.ts';
import { transactionsOf, type SqlFile } from './file.ts';
import type { SqlSource } from './layout.ts';
import { refuseNewEnumValue } from './new-enum-value.ts';
import { readScript, type SqlStatement } from './parse.ts';
import { unreadableMigrations } from './unreadable-migrations.ts';

/** As `listSqlFiles`, where each of them is still to run. */
export async function readSqlFiles(folder: string, format: Format = formatOf('sql')): Promise<SqlFile[]> {
  const files = await listSqlFiles(folder, format);
  requireReadable(files);
  return files;
}

/** @throws VerdigrisError for the first that cannot run as it is. */
export function requireReadable(files: readonly SqlFile[]): void {
  for (const { fault } of files) if (fault) throw fault;
}

/**
 * Reads a folder of versioned SQL, `0007_add_index.sql` or a folder each, in the order of the versions. What is wrong in
 * one of them is its own: psql, or somebody before these rules, may have run it long ago.
 */
export async function listSqlFiles(folder: string, format: Format): Promise<SqlFile[]> {
  const sources = await format.sources(folder);
  if (sources.length === 0)
    throw invalid(
      'migrations-empty',
      `The migrations folder ${folder} has no .sql file.`,
      'at least one migration.',
      'add one, leave `migrations` out where the schema does not change, or declare the tool that they are for: `engine: { command: […] }`.',
    );
  const files = await Promise.all(sources.map((source) => readSqlFile(source, format)));
  files.sort((a, b) => compareVersions(a.version, b.version));
  for (const [index, file] of files.entries()) {
    const before = files[index - 1];
    if (before && compareVersions(before.version, file.version) === 0) {
      throw invalid(
        'migration-duplicate',
        `${path.relative(folder, before.path)} and ${path.relative(folder, file.path)} have one version.`,
        'one file a version.',
        'give the later one a higher version; a way back belongs in a file of the same name that ends in .down.sql, which is never run.',
      );
    }
  }
  return files;
}

async function readSqlFile(source: SqlSource, format: Format): Promise<SqlFile> {
  const bytes = await readFile(source.path).catch((cause: unknown) => {
    throw unreadableMigrations(
      source.path,
      'every file that the folder lists.',
      'put it back, or take it out of the list.',
      cause,
    );
  });
  const file = { ...source, bytes, checksum: createHash('sha256').update(bytes).digest('hex') };
  const key = [format.name, file.path, file.checksum, file.apart].join('\n');
  const content = read.get(key) ?? contentOrFault(file, format);
  if (read.size >= mostRead) read.clear();
  read.set(key, content);
  return { ...file, ...(await content) };
}

type Content = Pick<SqlFile, 'statements' | 'superuser' | 'transactional' | 'fault'>;

/** One command asks several times what a folder holds, and a file may have a hundred thousand statements. */
const read = new Map<string, Promise<Content>>();
const mostRead = 2_000;

function contentOrFault(file: SqlSource & Pick<SqlFile, 'bytes'>, format: Format): Promise<Content> {
  return contentOf(file, format).catch((fault: unknown) => {
    if (!(fault instanceof VerdigrisError)) throw fault;
    return { statements: [], superuser: false, transactional: true, fault };
  });
}

/** What a file runs, and how. @throws VerdigrisError for what it must not hold. */
async function contentOf(source: SqlSource & Pick<SqlFile, 'bytes'>, format: Format): Promise<Content> {
  const { text, noTransaction } = wayUp(source.bytes, source.path, format);
  const { statements, ownTransaction, superuser } = await readScript(text, source.path);
  const apart = noTransaction || source.apart === true;
  const inOne = (statement: SqlStatement): boolean => statement.transactional && statement.transaction === undefined;
  const transactional = ownTransaction || (!apart && statements.every(inOne));
  const loose = transactional
    ? undefined
    : statements.find((each) => each.onlyInside && each.transaction === undefined);
  if (loose)
    throw invalid(
      'migration-forbidden',
      `${source.path}:${loose.line}: this statement works only inside of a transaction, and here it is outside of a transaction.`,
      'savepoints, LOCK and cursors inside of one.',
      'put it between BEGIN and COMMIT with what it is for, or take it out.',
    );
  for (const together of transactionsOf({ statements, transactional }))
    refuseNewEnumValue({ path: source.path, statements: together }, ({ data }) => data === undefined);
  return { statements, superuser, transactional };
}

function wayUp(bytes: Uint8Array, file: string, format: Format): { text: Uint8Array; noTransaction: boolean } {
  // Bytes that are no text are the parser's to refuse.
  if (!isUtf8(bytes)) return { text: bytes, noTransaction: false };
  // Without the byte order mark, which would hide a marker in the first line.
  const whole = new TextDecoder().decode(bytes);
  const found = format.unread?.exec(whole);
  if (found)
    throw invalid(
      'migration-forbidden',
      `${file}:${whole.slice(0, found.index).split('\n').length}: ${found[0].trim()} makes another text run ` +
        'than is written: values of the environment, a template, checks beside it or a delimiter of its own.',
      'a file that runs as it is written.',
      'write out what is to run, or declare the tool: `engine: { command: […] }`.',
    );
  return { text: Buffer.from(upPart(whole).text), noTransaction: asksForNoTransaction(whole) };
}

/** By their numbers: 2 before 10, 1.9 before 1.10. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) =>
    version
      .split(/[^\d]+/)
      .filter(Boolean)
      // A date down to the millisecond is beyond 2^53.
      .map(BigInt),
  ) as [bigint[], bigint[]];
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    const [one, two] = [left[place] ?? 0n, right[place] ?? 0n];
    if (one !== two) return one < two ? -1 : 1;
  }
  return 0;
}

function invalid(id: ErrorId, seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError(id, { seen, required, next });
}
