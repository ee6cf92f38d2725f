import { VerdigrisError } from '../../model/errors.ts';

interface Place {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** A statement that PostgreSQL refused: `migration-lock` where it waited too long for a lock. `next` says what was applied. */
export function statementFailed({ path, line, text }: Place, next: string, cause: unknown): VerdigrisError {
  const { message, detail, hint, code } = cause as { message: string; detail?: string; hint?: string; code?: string };
  return new VerdigrisError(code === '55P03' ? 'migration-lock' : 'migration-failed', {
    seen: `${path}:${line}: ${message}${detail ? ` (${detail})` : ''}${hint ? ` Hint: ${hint}.` : ''}\n  ${text.split('\n')[0]}\n`,
    required: 'that every statement succeeds on the candidate.',
    next: `${next} The live colour is untouched.`,
    facts: { file: path, line, sqlstate: code },
    cause,
  });
}
