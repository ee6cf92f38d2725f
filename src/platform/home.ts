import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where Verdigris keeps files on this machine, on every platform: VERDIGRIS_HOME, else the system's place for root and
 * the user's for others.
 */
export function defaultHome(): string {
  const declared = process.env['VERDIGRIS_HOME'];
  if (declared) return path.resolve(declared);
  if (process.getuid?.() === 0) return '/var/lib/verdigris';
  return path.join(process.env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local', 'state'), 'verdigris');
}
