import { VerdigrisError } from '../../../model/errors.ts';

/** Of the folder of migrations, or a file of it. */
export function unreadableMigrations(what: string, required: string, next: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('migrations-missing', { seen: `${what} cannot be read.`, required, next, cause });
}
