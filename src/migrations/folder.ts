import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isBackfill } from './backfill/file-name.ts';

/** The files of a folder of migrations with all that is below it, sorted: what is packed, listed and compared. */
export async function filesBelow(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
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
