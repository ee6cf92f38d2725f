import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import type { SqlFile } from './file.ts';

/** `note`: what a reader would wonder about with this tool. */
export function changed(file: Pick<SqlFile, 'path' | 'version'>, now: string, then: string, note = ''): VerdigrisError {
  return new VerdigrisError('migration-changed', {
    seen: `${file.path} was changed after it ran (checksum ${now.slice(0, 12)}…, applied as ${then.slice(0, 12)}…).`,
    required: `an applied migration that stays as it was.${note}`,
    next: 'restore the file and write the change as a new migration; or abandon the candidate and seed again.',
    facts: { version: file.version },
  });
}

export function late(files: readonly SqlFile[], newest: string): VerdigrisError {
  return new VerdigrisError('migration-out-of-order', {
    seen: `${files.map((file) => path.basename(file.path)).join(', ')} would run after version ${newest}, which is applied already.`,
    required: 'migrations that run in the order of their versions.',
    next: 'give them versions above the newest one.',
  });
}

/** A migration of which a part may be there. */
export function halfDone(seen: string, next: string): VerdigrisError {
  return new VerdigrisError('migration-half-done', {
    seen,
    required: 'a migration that is either complete or not started.',
    next: `${next} The live colour is untouched.`,
  });
}
