import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ErrorId } from '../../../model/error-catalogue.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { asksForNoTransaction } from '../../transaction-note.ts';
import { parseScript, type SqlStatement } from './parse.ts';

export interface SqlFile {
  readonly version: string;
  readonly name: string;
  readonly path: string;
  /** sha256 of the file's bytes. */
  readonly checksum: string;
  readonly statements: readonly SqlStatement[];
  /** False where a statement must run outside a transaction, or a note asks for it; then each runs on its own. */
  readonly transactional: boolean;
}

const fileName = /^(\d[\d._-]*?)[_-]+(.+)\.sql$/;

/** Reads a folder of versioned SQL files, `0007_add_index.sql`, in the order of their versions. */
export async function readSqlFiles(folder: string): Promise<SqlFile[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw invalid(
      'migrations-missing',
      `The migrations folder ${folder} cannot be read.`,
      'a folder.',
      'declare the right path, relative to the declaration, or leave `migrations` out.',
      cause,
    );
  });
  const scripts = names.filter((name) => name.endsWith('.sql')).sort();
  if (scripts.length === 0)
    throw invalid(
      'migrations-empty',
      `The migrations folder ${folder} has no .sql file.`,
      'at least one migration.',
      'add one, or leave `migrations` out where the schema does not change.',
    );
  const misnamed = scripts.filter((name) => !fileName.test(name));
  if (misnamed.length > 0)
    throw invalid(
      'migration-name',
      `${misnamed.join(', ')} in ${folder}: no version in the name.`,
      'names such as 0007_add_index.sql.',
      'rename them.',
    );
  const files = await Promise.all(scripts.map((name) => readSqlFile(folder, name)));
  files.sort((a, b) => compareVersions(a.version, b.version));
  for (const [index, file] of files.entries()) {
    const before = files[index - 1];
    if (before && compareVersions(before.version, file.version) === 0) {
      throw invalid(
        'migration-duplicate',
        `${path.basename(before.path)} and ${path.basename(file.path)} have one version.`,
        'one file a version.',
        'give the later one a higher version.',
      );
    }
  }
  return files;
}

async function readSqlFile(folder: string, name: string): Promise<SqlFile> {
  const file = path.join(folder, name);
  const bytes = await readFile(file);
  const [, version = '', title = ''] = fileName.exec(name) ?? [];
  const statements = await parseScript(bytes, file);
  return {
    version,
    name: title,
    path: file,
    checksum: createHash('sha256').update(bytes).digest('hex'),
    statements,
    transactional:
      !asksForNoTransaction(bytes.toString('utf8')) && statements.every((statement) => statement.transactional),
  };
}

/** By their numbers: 2 before 10, 1.9 before 1.10. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) =>
    version
      .split(/[^\d]+/)
      .filter(Boolean)
      .map(Number),
  ) as [number[], number[]];
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function invalid(id: ErrorId, seen: string, required: string, next: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError(id, { seen, required, next, cause });
}
