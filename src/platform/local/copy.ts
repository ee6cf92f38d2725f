import { constants, copyFile, lchown, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Account } from './account.ts';
import { withReadable } from './theirs.ts';

export interface CopyResult {
  bytes: number;
  /** False as soon as one file could not share its blocks with the original. */
  reflink: boolean;
}

/** Files whose blocks are shared at once: that is all metadata, and each waits for the filesystem. */
const concurrency = 4;

/**
 * Copies a folder, sharing blocks with the original (FICLONE) where the filesystem can. Files that vanish meanwhile are
 * left out, as pg_basebackup does: a server drops files while it is being copied, and its log says so. The files are
 * the account's; the folders stay this process's until `giveFolders`, so that nobody can put a link where a file is to be
 * written. Throws `file-not-theirs`.
 */
export async function copyTree(
  from: string,
  to: string,
  account: Account | undefined,
  leaveOut: (relative: string) => boolean,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<CopyResult> {
  const result: CopyResult = { bytes: 0, reflink: true };
  const files: string[] = [];
  await folders('');
  const workers = Array.from({ length: concurrency }, async (_, worker) => {
    for (let relative = files.pop(); relative !== undefined; relative = files.pop()) {
      await file(relative);
      // Where blocks are copied, one at a time is as fast as most disks, and takes no more of the machine from the
      // database that serves on.
      if (!result.reflink && worker > 0) break;
    }
  });
  // All have ended before a failure is reported: what is undone must not be written to any more.
  const failed = (await Promise.allSettled(workers)).find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return result;

  async function folders(relative: string): Promise<void> {
    const made = path.join(to, relative);
    await mkdir(made, { recursive: true, mode: 0o700 });
    const entries = await readdir(path.join(from, relative), { withFileTypes: true }).catch(ignoreMissing(() => []));
    for (const entry of entries) {
      const inner = path.join(relative, entry.name);
      if (leaveOut(inner)) continue;
      if (entry.isDirectory()) await folders(inner);
      else if (entry.isFile()) files.push(inner);
      else if (entry.isSymbolicLink()) await symlink(await readlink(path.join(from, inner)), path.join(to, inner));
    }
  }

  async function file(relative: string): Promise<void> {
    const source = path.join(from, relative);
    const target = path.join(to, relative);
    const sharing = result.reflink;
    const mode = sharing ? constants.COPYFILE_FICLONE_FORCE : 0;
    try {
      if (account)
        await withReadable(source, account, 'refuse', ({ fd }) => copyFile(`/proc/self/fd/${fd}`, target, mode));
      else await copyFile(source, target, mode);
    } catch (error) {
      if (isMissing(error)) return;
      if (!sharing || !noReflink.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      result.reflink = false;
      return file(relative);
    }
    if (account) await lchown(target, account.uid, account.gid);
    const { size } = await lstat(target);
    result.bytes += size;
    onBytes(size);
  }
}

/** Gives all folders of a tree to the account, the outermost last: until then it cannot enter. */
export async function giveFolders(tree: string, account: Account | undefined): Promise<void> {
  if (!account) return;
  for (const entry of await readdir(tree, { withFileTypes: true }))
    if (entry.isDirectory()) await giveFolders(path.join(tree, entry.name), account);
  await lchown(tree, account.uid, account.gid);
}

/** What FICLONE answers where blocks cannot be shared (ioctl_ficlonerange(2)). */
const noReflink = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY']);

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function ignoreMissing<T>(fallback: () => T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return fallback();
    throw error;
  };
}
