import { constants } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { VerdigrisError } from '../../model/errors.ts';
import type { Account } from './account.ts';

/**
 * Opens a file of the servers' account, for what becomes that account's own: nothing that it could not read by itself. It
 * may have put a link in the place of the file, or of a folder above it, at any moment. `refuse` links: where a file was
 * seen. @throws VerdigrisError `file-not-theirs`
 */
export async function withReadable<T>(
  file: string,
  account: Account,
  links: 'follow' | 'refuse',
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  // A pipe in its place would keep whoever opens it.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (links === 'refuse' ? constants.O_NOFOLLOW : 0);
  const handle = await open(file, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? notTheirs(file) : error;
  });
  try {
    const found = await handle.stat();
    if (!found.isFile() || (found.uid !== account.uid && (found.mode & 0o004) === 0)) throw notTheirs(file);
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** The text of a file that is written again as the account's. @throws VerdigrisError `file-not-theirs` */
export function readTheirs(file: string, account: Account | undefined): Promise<string> {
  return account ? withReadable(file, account, 'follow', (handle) => handle.readFile('utf8')) : readFile(file, 'utf8');
}

function notTheirs(file: string): VerdigrisError {
  return new VerdigrisError('file-not-theirs', {
    seen: `${file} is, or leads to, what the account that the servers run under could not read by itself.`,
    required: "files of the server, readable for its account: what is made of them becomes that account's own.",
    next: 'look what it is; give it to the account of the servers, or remove it; then run the same command again.',
  });
}
