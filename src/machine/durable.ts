import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { diskFull, isDiskFull } from '../model/failures.ts';
import type { Reserve } from './reserve.ts';

interface DurableOptions {
  /** Whose it is from its first moment; otherwise this process's. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Otherwise its owner alone may read and write it. */
  readonly mode?: number | undefined;
  /** What it is written over where the disk is full. */
  readonly reserve?: Reserve;
}

/**
 * Writes a file whole or not at all, durable when it returns: whoever reads it meanwhile, or after a crash, has the old
 * text or the new one. Says where its blocks are from, as `writeSynced`. Throws `disk-full`.
 */
export async function writeDurably(
  file: string,
  text: string,
  { owner, mode, reserve }: DurableOptions = {},
): Promise<'disk' | 'reserve'> {
  const made = `${file}.${randomUUID()}.new`;
  const from = await writeSynced(made, text, reserve);
  try {
    if (owner || mode !== undefined) await give(made, { owner, mode });
    await rename(made, file);
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
  return from;
}

/**
 * By its handle: in a folder of somebody else's the name may have become a link to a file of this process's own, which he
 * would be given in its place.
 */
async function give(made: string, { owner, mode }: Pick<DurableOptions, 'owner' | 'mode'>): Promise<void> {
  const handle = await open(made, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { uid, nlink } = await handle.stat();
    if (uid !== process.geteuid?.() || nlink !== 1) throw new Error(`${made} was replaced while it was written`);
    if (owner) await handle.chown(owner.uid, owner.gid);
    if (mode !== undefined) await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

/** As `writeDurably`, for a file that people keep: whose it is and who may read and write it stays as it is. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  const ours = !there || (there.uid === process.geteuid?.() && there.gid === process.getegid?.());
  await writeDurably(file, text, {
    mode: there ? there.mode & 0o7777 : 0o666 & ~process.umask(),
    ...(ours ? {} : { owner: { uid: there.uid, gid: there.gid } }),
  });
}

/**
 * Writes a new file, durable when it returns; nothing is left of it where that fails. Throws `disk-full`. Says where
 * the blocks are from: what was taken out of the reserve can be put aside again as soon as an older file is gone.
 */
export async function writeSynced(file: string, text: string, reserve?: Reserve): Promise<'disk' | 'reserve'> {
  try {
    await writeFile(file, text, { flush: true, mode: 0o600, flag: 'wx' });
    return 'disk';
  } catch (error) {
    await rm(file, { force: true });
    if (!isDiskFull(error)) throw error;
    if (reserve && (await reserve.write(file, text))) return 'reserve';
    await rm(file, { force: true });
    throw diskFull(file, error);
  }
}

/** What was made or removed in it is durable when this returns. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
