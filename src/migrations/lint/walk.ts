import { existsSync, readFileSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import { readDrizzleJournal } from '../drizzle-journal.ts';
import { isWayBack } from '../way-back.ts';
import type { LintInput } from './finding.ts';

/** Hidden ones too: what editors and archives leave beside a file. */
const skipped = /^(?:\.|node_modules$)/;

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
  return [...new Set(found)].map(read);
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
  const files = await below(given, new Set());
  const besides = await sqitchBesides(given);
  const names = new Set(files.map((file) => path.relative(given, file).split(path.sep).join('/')));
  const sorted = [...names]
    .filter((name) => !isWayBack(name, names))
    .toSorted(compareFiles)
    .map((name) => path.join(given, name))
    .filter((file) => !besides.some((folder) => file.startsWith(folder)));
  return asListed(sorted);
}

/** Of a folder of Drizzle's what its journal lists, in that order; where it lists nothing of the folder, all. */
function asListed(files: readonly string[]): string[] {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const own = folders.get(path.dirname(file));
    if (own) own.push(file);
    else folders.set(path.dirname(file), [file]);
  }
  return [...folders].flatMap(([folder, own]) => {
    const journal = path.join(folder, 'meta', '_journal.json');
    const listed = (existsSync(journal) && readDrizzleJournal(readFileSync(journal, 'utf8'))) || [];
    const found = listed.map(({ tag }) => path.join(folder, `${tag}.sql`)).filter((file) => own.includes(file));
    return found.length > 0 ? found : own;
  });
}

/** Links are followed, each folder once: one that leads back into its own folders ends there. */
async function below(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (seen.has(real)) return [];
  seen.add(real);
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (skipped.test(entry.name)) continue;
    const full = path.join(folder, entry.name);
    // A link that leads nowhere is read as a file, which says so.
    const kind = entry.isSymbolicLink() ? await stat(full).catch(() => undefined) : entry;
    if (kind?.isDirectory() === true) found.push(...(await below(full, seen)));
    else if (/\.sql$/i.test(entry.name) && (kind?.isFile() ?? true)) found.push(full);
  }
  return found;
}

/** At once: a thousand small files cost five times as much through the thread pool. */
function read(file: string): LintInput {
  try {
    return { path: file, text: readFileSync(file) };
  } catch (cause) {
    throw new VerdigrisError('lint-path', {
      seen: `${file} cannot be read.`,
      required: 'files that can be read, and links that lead to some.',
      next: 'fix the file, or take it out of the folder.',
      cause,
    });
  }
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
  return fileA === fileB ? compareNames(a[at] ?? '', b[at] ?? '') : fileA ? -1 : 1;
}

/** Flyway's and refinery's by their versions, whatever letter is before them; Flyway's repeatable ones run last. */
function compareNames(one: string, other: string): number {
  const [a, b] = [one, other].map((name) => ({
    last: Number(name.startsWith('R__')),
    bare: name.replace(/^[VU](?=\d[\w.]*__)/, ''),
  })) as [Named, Named];
  return a.last - b.last || order.compare(a.bare, b.bare) || order.compare(one, other);
}

interface Named {
  readonly last: number;
  readonly bare: string;
}
