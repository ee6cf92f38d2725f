import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import type { MigrationTarget } from '../../engine.ts';
import type { SqlFile } from './file.ts';

/** Attempts at a migration that did not get its lock in time; apply holds locks on the candidate for moments only. */
const lockAttempts = 10;

export async function retryLocks(target: MigrationTarget, file: SqlFile, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof VerdigrisError) || error.id !== 'migration-lock' || attempt === lockAttempts) throw error;
      target.signal.throwIfAborted();
      target.onProgress(
        0,
        0,
        `${path.basename(file.path)}: lock not had within ${target.lockTimeout} ms, attempt ${attempt} of ${lockAttempts}`,
      );
    }
  }
}
