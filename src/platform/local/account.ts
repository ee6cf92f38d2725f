import { readFile } from 'node:fs/promises';
import { VerdigrisError } from '../../model/errors.ts';

/** The ordinary account that PostgreSQL runs under. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined for an ordinary user, who runs servers as himself. For root, the account to drop to: `postgres` where the
 * system has one, else `nobody`, since PostgreSQL refuses to run as root and initdb wants an account that has a name.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = ['postgres', 'nobody'].map((name) => lines.find((line) => line[0] === name)).find(Boolean);
  if (!entry) {
    throw new VerdigrisError('no-account', {
      seen: 'This process is root, and /etc/passwd has neither postgres nor nobody.',
      required: 'an ordinary account, because PostgreSQL refuses to run as root.',
      next: 'run as an ordinary user, or add an account named postgres.',
    });
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}
