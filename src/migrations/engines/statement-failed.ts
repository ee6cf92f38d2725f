import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';

interface Place {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** SQLSTATE invalid_transaction_termination: a procedure that commits is called inside of a transaction. */
export function isTermination(error: unknown): boolean {
  const { code, cause, facts } = error as { code?: string; cause?: unknown; facts?: { sqlstate?: string } };
  return code === '2D000' || facts?.sqlstate === '2D000' || (cause !== undefined && isTermination(cause));
}

const insufficientPrivilege = '42501';

/** What a file is to say that needs more rights than the owner has. */
export const bySuperuser =
  'Where this takes a superuser, say so in the file, in a line of its own, for its reviewers: ' +
  '`-- verdigris: as superuser because …`; where another role owns it all, declare that one as roles.owner.';

function needsSuperuser(owner: string): string {
  return ` The file ran as ${owner}, the owner of what is there. ${bySuperuser}`;
}

/**
 * A statement that PostgreSQL refused: `migration-lock` where it waited too long for a lock. `next` says what was
 * applied, `owner` as whom the file ran.
 */
export function statementFailed(
  { path, line, text }: Place,
  next: string,
  cause: unknown,
  owner?: string,
): VerdigrisError {
  const { message, detail, hint, code } = cause as { message: string; detail?: string; hint?: string; code?: string };
  const said = [message, ...(detail ? [`(${detail})`] : []), ...(hint ? [`Hint: ${hint}`] : [])].join(' ');
  const rights = owner !== undefined && code === insufficientPrivilege ? needsSuperuser(owner) : '';
  return new VerdigrisError(code === '55P03' ? 'migration-lock' : 'migration-failed', {
    seen: `${path}:${line}: ${said}\n${indented(text.split('\n').slice(0, 1))}`,
    required: 'that every statement succeeds on the candidate.',
    next: `${next} The live colour is untouched.${rights}`,
    facts: { file: path, line, sqlstate: code },
    cause,
  });
}
