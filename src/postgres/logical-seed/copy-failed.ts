import { VerdigrisError } from '../../model/errors.ts';

/** Rows that did not arrive; `again` says what the same command does with those that did. */
export function copyFailed(
  seen: string,
  again: string,
  facts: Readonly<Record<string, unknown>>,
  cause?: unknown,
): VerdigrisError {
  return new VerdigrisError('copy-failed', {
    seen,
    required:
      'both servers reachable throughout, every row readable (BYPASSRLS where policies hide some), and room on the candidate.',
    next: `remove the cause (the candidate's log has it), then run the same command again: ${again}`,
    facts,
    cause,
  });
}
