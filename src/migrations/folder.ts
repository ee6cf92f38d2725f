import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isBackfill } from './backfill/file-name.ts';

/**
 * The files of a folder of migrations with all that is below it, sorted: what is packed, listed and compared. Links are
 * followed, since engines read through them, save hidden ones (an editor's lock, a volume's `..data`), those below
 * node_modules, which lead into each other, and those to a folder that this one lies in.
 */
export async function filesBelow(folder: string): Promise<string[]> {
  return (await below(folder, [])).sort();
}

/** `around`: the folders that it was reached through, as they really lie; undefined where no link is followed. */
async function below(folder: string, around: readonly string[] | undefined): Promise<string[]> {
  const within = around && [...around, await realpath(folder)];
  const found = await Promise.all(
    (await readdir(folder, { withFileTypes: true })).map(async (entry) => {
      const full = path.join(folder, entry.name);
      const kind = entry.isSymbolicLink() ? await behindLink(full, within) : entry;
      if (kind?.isDirectory() === true) return below(full, entry.name === 'node_modules' ? undefined : within);
      return kind?.isFile() === true ? [full] : [];
    }),
  );
  return found.flat();
}

/** Undefined where it is not followed, or leads nowhere: an engine that reads it says so. */
async function behindLink(link: string, within: readonly string[] | undefined): Promise<Stats | undefined> {
  if (!within || path.basename(link).startsWith('.')) return undefined;
  const to = await realpath(link).catch(() => undefined);
  return to === undefined || within.some((folder) => isInside(folder, to)) ? undefined : stat(to);
}

function isInside(folder: string, outer: string): boolean {
  return !path.relative(outer, folder).split(path.sep).includes('..');
}

/** What says nothing to any engine. */
const beside = /(^|\/)\.|\.md$/i;

/** Digests of a folder's files by their path in it; undefined where the folder cannot be read here. */
export async function folderDigests(folder: string): Promise<Record<string, string> | undefined> {
  const files = await filesBelow(folder).catch(() => undefined);
  if (!files) return undefined;
  const named = files.map((file) => [path.relative(folder, file).split(path.sep).join('/'), file] as const);
  return Object.fromEntries(
    await Promise.all(
      named
        .filter(([name]) => !beside.test(name))
        .map(async ([name, file]) => [name, `sha256:${sha256(await readFile(file))}`] as const),
    ),
  );
}

/**
 * One digest of a folder's migrations, the same for the same content wherever it lies; undefined where it cannot be
 * read here. Backfills are left out: they may be added at any time, and what of them is not complete has gates of its
 * own.
 */
export async function folderDigest(folder: string): Promise<string | undefined> {
  const digests = await folderDigests(folder);
  if (!digests) return undefined;
  const migrations = Object.entries(digests).filter(([name]) => !isBackfill(name));
  return sha256(JSON.stringify(migrations.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
