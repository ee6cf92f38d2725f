import { glob, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import type { LintInput } from './finding.ts';

const skipped = new Set(['node_modules', '.git']);

/**
 * SQL files in the order in which engines apply them: numbers in names count as numbers, so that V2 comes before V10.
 */
const order = new Intl.Collator('en', { numeric: true });

/**
 * The files of the paths given, folders walked for *.sql in order. Bytes, so that the linter sees the encoding. Down
 * and undo migrations are left out of folders: they are meant to destroy.
 */
export async function sqlFiles(paths: readonly string[]): Promise<LintInput[]> {
  const found = (await Promise.all(paths.map(expand))).flat();
  return Promise.all([...new Set(found)].map(async (file) => ({ path: file, text: await readFile(file) })));
}

async function expand(given: string): Promise<string[]> {
  const seen = await stat(given).catch(() => undefined);
  if (!seen) {
    throw new VerdigrisError('lint-path', {
      seen: `There is no ${given}.`,
      required: 'a file, or a folder with *.sql files.',
      next: 'fix the path.',
    });
  }
  if (!seen.isDirectory()) return [given];
  const files: string[] = [];
  const found = glob('**/*.sql', { cwd: given, withFileTypes: true, exclude: ({ name }) => skipped.has(name) });
  for await (const entry of found) {
    const name = path.relative(path.resolve(given), path.join(entry.parentPath, entry.name));
    // A folder's name may end in .sql too; what is in it has been found already.
    if (!entry.isDirectory() && !isUndo(name)) files.push(path.join(given, name));
  }
  const besides = await sqitchBesides(given);
  return files.filter((file) => !besides.some((folder) => file.startsWith(folder))).toSorted(compareFiles);
}

/** sqitch's ways back and its checks, where the folder is one of its projects. */
async function sqitchBesides(given: string): Promise<string[]> {
  const plan = await stat(path.join(given, 'sqitch.plan')).catch(() => undefined);
  return plan ? ['revert', 'verify'].map((name) => path.join(given, name, path.sep)) : [];
}

/** The order of two paths below one folder. A folder's own files come before those of its folders. */
export function compareFiles(one: string, other: string): number {
  const [a, b] = [one.split(path.sep), other.split(path.sep)];
  const at = a.findIndex((part, index) => part !== b[index]);
  if (at < 0) return 0;
  const [fileA, fileB] = [at === a.length - 1, at === b.length - 1];
  return fileA === fileB ? order.compare(a[at] ?? '', b[at] ?? '') : fileA ? -1 : 1;
}

/** `x.down.sql` of golang-migrate and its kin, `down.sql` of Diesel and Prisma, `U1__x.sql` of Flyway. */
export function isUndo(file: string): boolean {
  return /(?:^|[./_-])down\.sql$|(?:^|\/)U\d[\w.]*__[^/]*\.sql$/.test(file);
}
