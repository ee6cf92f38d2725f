import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Account } from './account.ts';
import { folderTaken } from './own-files.ts';
import { makeFolder } from '../../machine/folder.ts';

/** Bytes of a socket's path at most (unix(7) and unix(4) of macOS, sun_path without its end). */
const longestPath = process.platform === 'darwin' ? 103 : 107;
const longestName = '/.s.PGSQL.65535';

/** Where the sockets of servers made by 0.1.0 are: those keep it for as long as they live. */
export function legacySockets(root: string, colour: string): string {
  return path.join('/tmp', `verdigris-${hash(root)}`, colour);
}

/**
 * A folder for a new server's socket, to be remembered: below the environment's own where the path is short enough,
 * else in /run for root, and for others in one that mkdtemp(3) has named, so that nobody can make it first. Nothing of
 * the last is foreseeable.
 */
export async function chooseSockets(root: string, server: string): Promise<string> {
  const { inside, ofRoot } = placesOfSockets(root, server);
  if (Buffer.byteLength(inside + longestName) <= longestPath) return inside;
  if (process.getuid?.() === 0) return ofRoot;
  return path.join(await mkdtemp(path.join(tmpdir(), 'verdigris-')), server);
}

function placesOfSockets(root: string, server: string): { readonly inside: string; readonly ofRoot: string } {
  return { inside: path.join(root, 's', server), ofRoot: path.join('/run/verdigris', hash(root), server) };
}

/**
 * Whether a folder is one that was chosen for this server. Not foreseeable is only what others than root were given,
 * and they cannot give a folder away.
 */
export function knownSockets(root: string, server: string, sockets: string): boolean {
  const { inside, ofRoot } = placesOfSockets(root, server);
  if ([inside, ofRoot, legacySockets(root, server.replace(/-\d+$/, ''))].includes(sockets)) return true;
  return process.getuid?.() !== 0 && path.isAbsolute(sockets) && path.basename(sockets) === server;
}

/**
 * Makes or checks the folder of a server's socket and the one above it, through which the router and psql of others may
 * only pass.
 */
export async function ownSockets(sockets: string, account: Account | undefined): Promise<void> {
  await ownFolder(path.dirname(sockets), account, 0o711);
  await ownFolder(sockets, account);
}

export async function removeSockets(sockets: string): Promise<void> {
  await rm(sockets, { recursive: true, force: true });
  // The other colour's may be beside it.
  await rmdir(path.dirname(sockets)).catch(() => undefined);
}

/**
 * A folder that belongs to the server's account. Whoever could make it, or a link of its name, before us would get what
 * is changed here: no link is followed, and what belongs to somebody else is refused.
 * @throws VerdigrisError `folder-taken`
 */
export async function ownFolder(folder: string, account: Account | undefined, mode = 0o700): Promise<void> {
  await makeFolder(path.dirname(folder), 0o711);
  await mkdir(folder, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
    (cause: unknown) => {
      throw folderTaken(folder, 'is no folder of its own (a link, a file, or one that may not be entered)', cause);
    },
  );
  try {
    const { uid } = await handle.stat();
    if (![0, process.getuid?.(), account?.uid].includes(uid)) throw folderTaken(folder, `belongs to the user ${uid}`);
    if (account) await handle.chown(account.uid, account.gid);
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

function hash(root: string): string {
  return createHash('sha256').update(root).digest('hex').slice(0, 10);
}
