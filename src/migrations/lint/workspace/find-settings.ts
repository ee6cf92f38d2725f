import { stat } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import type { LintSettings } from '../config.ts';
import { baselineName } from './baseline.ts';
import { declaredAround } from './declared.ts';
import { upwards } from './upwards.ts';

export const settingsNames = ['verdigris-lint.yaml', 'verdigris-lint.yml', 'verdigris-lint.json'] as const;

/** What lies around the files to lint, each found from their folder upwards. */
export interface Surroundings {
  readonly settings?: string;
  readonly baseline?: string;
  /** The declaration of an environment whose migrations these are. */
  readonly environment?: { readonly file: string; readonly defaults: LintSettings };
}

/** Where the paths have more than one configuration, which one counts cannot be known: that is an error. */
export async function surroundingsOf(paths: readonly string[]): Promise<Surroundings> {
  const folders = await Promise.all(paths.map(folderOf));
  const all = [...new Set(folders)].map((folder) => ({
    settings: upwards(folder, settingsNames),
    baseline: upwards(folder, [baselineName]),
  }));
  const settings = only(all.map((one) => one.settings));
  const baseline = only(all.map((one) => one.baseline));
  const environment = folders[0] === undefined ? undefined : await environmentOf(folders[0]);
  return {
    ...(settings === undefined ? {} : { settings }),
    ...(baseline === undefined ? {} : { baseline }),
    ...(environment === undefined ? {} : { environment }),
  };
}

async function folderOf(given: string): Promise<string> {
  const full = path.resolve(given);
  return (await stat(full).catch(() => undefined))?.isDirectory() === true ? full : path.dirname(full);
}

function only(found: readonly (string | undefined)[]): string | undefined {
  const different = [...new Set(found)];
  if (different.length <= 1) return different[0];
  throw new VerdigrisError('lint-config', {
    seen: `The files belong to different configurations: ${different.map((one) => one ?? 'none').join(', ')}.`,
    required: 'one configuration and one baseline for all files of a run.',
    next: 'give --config and --baseline, or lint the folders one by one.',
  });
}

/**
 * Migrations of an environment run on its candidate, and what only a live database suffers from counts for little
 * there.
 */
async function environmentOf(folder: string): Promise<Surroundings['environment']> {
  const declared = await declaredAround(folder);
  const own = declared?.colours.find(({ migrations }) => {
    const inside = path.relative(migrations, folder);
    return inside === '' || !(inside.startsWith('..') || path.isAbsolute(inside));
  });
  if (!declared || !own) return undefined;
  const { postgres: major } = own;
  return {
    file: declared.file,
    defaults: { target: 'candidate', failOn: 'error', ...(major >= 15 && major <= 18 ? { postgres: major } : {}) },
  };
}
