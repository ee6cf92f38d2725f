import { VerdigrisError } from './errors.ts';

/**
 * Calls of the system by which files are looked at, made, changed or removed; `connect` and `spawn` are refused for other
 * reasons.
 */
const looking = new Set('access lstat opendir read readlink realpath scandir stat'.split(' '));
const changing = new Set(
  'open mkdir mkdtemp rename link symlink unlink rm rmdir write copyfile chmod fchmod chown fchown ftruncate'.split(
    ' ',
  ),
);

/** What the system refused to read or to write, in words; undefined of any other error. */
export function fileRefused(error: unknown): VerdigrisError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, path: at } = error as NodeJS.ErrnoException;
  if (code === 'EROFS')
    return new VerdigrisError('disk-read-only', {
      // Of a file that is open already the system does not say the name.
      seen: `${at === undefined ? 'A disk that is written to' : `The disk of ${at}`} is mounted read-only.`,
      required: 'a disk that can be written: journal, leases and data lie there.',
      next:
        'see why (`findmnt`, `dmesg`: a kernel does that to a disk with errors); mount it writable, then run ' +
        '`verdigris start`, and `verdigris recover`.',
      facts: at === undefined ? {} : { path: at },
      cause: error,
    });
  if (code !== 'EACCES' && code !== 'EPERM') return undefined;
  const looks = looking.has(syscall ?? '');
  if (!looks && !changing.has(syscall ?? '')) return undefined;
  return new VerdigrisError('not-permitted', {
    seen: `This user may not ${looks ? 'look at' : 'open or write'} ${at ?? 'a file'} (${code}).`,
    required: 'files and folders that belong to the user who runs the command.',
    next: 'name one in VERDIGRIS_HOME, or run it as the user whose folder it is (`ls -ld`).',
    facts: at === undefined ? {} : { path: at },
    cause: error,
  });
}
