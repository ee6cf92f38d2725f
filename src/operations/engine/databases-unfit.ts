import { VerdigrisError } from '../../model/errors.ts';

/** Several databases where they cannot be released together, or not as it was asked. */
export function databasesUnfit(seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError('databases-unfit', { seen, required, next });
}
