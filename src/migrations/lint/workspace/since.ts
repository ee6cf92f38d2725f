import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import type { LintInput } from '../finding.ts';

/**
 * Marks what is applied already. `since` is one of the files, the first that is not applied yet; or a revision of git,
 * and then only the files that were added or changed since the branch left it, committed or not, are the release at
 * hand.
 */
export async function markApplied(files: readonly LintInput[], since: string): Promise<readonly LintInput[]> {
  const first = files.findIndex((file) => path.resolve(file.path) === path.resolve(since));
  if (first >= 0) return files.map((file, index) => ({ ...file, applied: index < first }));
  const folder = path.dirname(path.resolve(files[0]?.path ?? '.'));
  const changed = await changedSince(since, folder);
  if (changed === undefined) {
    throw new VerdigrisError('lint-since', {
      seen: `${since} is none of the ${files.length} files, and no revision of a git repository around ${folder}.`,
      required: '--since one of the files given, or a revision that git knows here (a shallow clone has few).',
      next: 'fix it, or fetch the revision (`git fetch origin main`; in GitHub Actions `fetch-depth: 0`).',
    });
  }
  return files.map((file) => ({ ...file, applied: !changed.has(path.resolve(file.path)) }));
}

/** Absolute paths; undefined where git or the revision is not there. */
async function changedSince(revision: string, folder: string): Promise<ReadonlySet<string> | undefined> {
  const top = (await git(folder, 'rev-parse', '--show-toplevel'))?.trim();
  const commit = (
    await git(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
  )?.trim();
  if (top === undefined || commit === undefined) return undefined;
  // What others have added to that branch meanwhile is no change of this one. Without a common commit the two are
  // compared as they are.
  const base = (await git(folder, 'merge-base', commit, 'HEAD'))?.trim() ?? commit;
  const changed = await git(top, 'diff', '--name-only', '--diff-filter=ACMRT', '-z', base, '--');
  const added = await git(top, 'ls-files', '--others', '--exclude-standard', '-z');
  const names = `${changed ?? ''}${added ?? ''}`.split('\0').filter((name) => name !== '');
  return new Set(names.map((name) => path.resolve(top, name)));
}

/** Milliseconds for a question to git: a repository on a share may be slow. */
const gitLimit = 60_000;

/** With all of the caller's own environment: a hook's git finds its repository by that. */
async function git(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  const { programEnd, startProgram } = await import('../../../machine/program.ts');
  const asked = startProgram('git', ['-C', folder, ...args], { inherits: 'all', limit: gitLimit });
  const { stdout, failed } = await programEnd(asked);
  return failed ? undefined : stdout;
}
