import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compareVersions } from '../../engines/sql/files.ts';
import { unfitForRecipe } from './column.ts';
import type { Recipe } from './expand.ts';

/**
 * Puts the version after the newest of the folder before the names of a recipe's files: one version for all of them.
 */
export async function numbered(
  folder: string,
  { files }: Recipe,
): Promise<{ readonly path: string; readonly text: string }[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw Object.assign(
      unfitForRecipe(
        `The folder ${folder} cannot be read.`,
        "the folder of the release's migrations.",
        'make it, or name it with --folder.',
      ),
      { cause },
    );
  });
  const versions = names
    .map((name) => /^(\d+)[_-]/.exec(name)?.[1])
    .filter((version) => version !== undefined)
    .sort(compareVersions);
  const newest = versions.at(-1) ?? '';
  const version = String(BigInt(newest === '' ? 0 : newest) + 1n).padStart(Math.max(newest.length, 4), '0');
  return files.map(({ name, text }) => ({ path: path.join(folder, `${version}_${name}`), text }));
}

/** Never over a file that is there. */
export async function writeRecipe(files: readonly { readonly path: string; readonly text: string }[]): Promise<void> {
  for (const file of files) await writeFile(file.path, file.text, { flag: 'wx' });
}
