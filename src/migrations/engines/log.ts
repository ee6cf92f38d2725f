import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Appends lines to a file that only its owner may read; without a file it drops them. At once: a process that is killed
 * has written what it was given.
 */
export function openLog(file: string | undefined): (line: string) => void {
  if (file === undefined) return () => undefined;
  mkdirSync(path.dirname(file), { recursive: true });
  return (line) => appendFileSync(file, `${line}\n`, { mode: 0o600 });
}
