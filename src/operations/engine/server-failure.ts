import type { Colour } from '../../model/colours.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { diskFull, isDiskFull } from '../../model/failures.ts';

/**
 * SQLSTATEs of a server that stops, crashed or is not ready, the system's of one that nobody reaches, and what
 * node-postgres says, without a code, of a connection that ended.
 */
function ended(error: unknown): boolean {
  const { code = '', message = '', syscall } = error as { code?: string; message?: string; syscall?: string };
  return (
    /^(57P0[1-3]|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH)$/.test(code) ||
    (code === 'ENOENT' && syscall === 'connect') ||
    /^timeout expired|^Connection terminated|not queryable/.test(message)
  );
}

/** Work on a colour's server, whose failures say whose server it was; an error that has words of its own keeps them. */
export function ofServer<T>(colour: Colour, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof VerdigrisError) throw error;
    // A full disk of this process has been named where it was met.
    if (isDiskFull(error) && error instanceof Error && 'severity' in error)
      throw diskFull(`the server of ${colour}`, error);
    if (ended(error)) throw serverGone(colour, error);
    throw error;
  });
}

function serverGone(colour: Colour, cause: unknown): VerdigrisError {
  return new VerdigrisError('server-gone', {
    seen: `The server of ${colour} stopped, or does not answer: ${describe(cause)}`,
    required: 'both servers running while a command works.',
    next:
      `see why in its log (\`verdigris logs --colour ${colour}\`), then \`verdigris start\` and the same command again: ` +
      'what was begun is undone or continued.',
    facts: { colour },
    cause,
  });
}
