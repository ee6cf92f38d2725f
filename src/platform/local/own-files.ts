import { lstat, stat } from 'node:fs/promises';
import { VerdigrisError } from '../../model/errors.ts';

const others = { write: 0o022, read: 0o077 } as const;

/**
 * For a folder in which an environment is kept, and which may be a link of one's own to another disk: whose it is, and
 * whoever may write to it, can put another journal, or other passwords, in place of these.
 * @throws VerdigrisError `folder-taken`, `open-to-others`
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  const there = await stat(folder);
  for (const { uid } of [await lstat(folder), there])
    if (![0, process.getuid?.()].includes(uid)) throw folderTaken(folder, `belongs to the user ${uid}`);
  if ((there.mode & others.write) !== 0) throw openToOthers(folder, there.mode, 'write');
}

/**
 * For a file with passwords, where it is there. Verdigris makes it for its owner alone; a backup that was put back may
 * not have kept that.
 * @throws VerdigrisError `open-to-others`
 */
export async function requireSecretFile(file: string): Promise<void> {
  const there = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (there && (there.mode & others.read) !== 0) throw openToOthers(file, there.mode, 'read');
}

/**
 * initdb and pg_ctl put the paths of programs and data into a line for the shell, between double quotes; a comma parts
 * two folders of sockets, for the server and for libpq.
 */
const unfit = /[$`"\\,\p{Cc}]/u;

/** @throws VerdigrisError `home-unfit` */
export function requireFitHome(home: string): void {
  const [found] = unfit.exec(home) ?? [];
  if (found === undefined) return;
  throw new VerdigrisError('home-unfit', {
    seen: `The path of VERDIGRIS_HOME has the character ${JSON.stringify(found)}: ${home}`,
    required: 'a path without $, `, ", \\, a comma or a control character: programs of PostgreSQL break at them.',
    next: 'set VERDIGRIS_HOME to another folder and run the same command. Nothing was made.',
    facts: { home },
  });
}

export function folderTaken(folder: string, what: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('folder-taken', {
    seen: `${folder} ${what}.`,
    required: 'a folder that Verdigris made: whoever controls it could put another server in place of yours.',
    next: 'find out who made it, remove it, and run the same command again. Nothing in it was changed.',
    facts: { folder },
    cause,
  });
}

function openToOthers(file: string, mode: number, what: keyof typeof others): VerdigrisError {
  const bits = (mode & 0o7777).toString(8);
  const words = {
    write: {
      seen: `Others than its owner may write to ${file} (mode ${bits}).`,
      required:
        'a folder that only its owner changes: whoever else can could put a journal, a server or passwords in place of yours.',
      next: `look at what is in it and whose it is; then \`chmod go-w ${file}\`, and run the same command again.`,
    },
    read: {
      seen: `Others than its owner may read ${file} (mode ${bits}).`,
      required: 'a file that is for its owner alone: it has passwords.',
      next: `\`chmod 600 ${file}\`, run the same command again, and change the passwords: \`verdigris rotate --all\`.`,
    },
  };
  return new VerdigrisError('open-to-others', { ...words[what], facts: { file, mode: bits } });
}
