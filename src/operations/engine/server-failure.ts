import type { Colour } from '../../model/colours.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { diskFull, isDiskFull } from '../../model/failures.ts';
import { hasNoAnswer, silenceOf } from '../../postgres/no-answer.ts';
import type { Servers } from '../../platform/port/servers.ts';

/** Work on a colour's server, whose failures say whose server it was; an error that has words of its own keeps them. */
export function ofServer<T>(colour: Colour, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof VerdigrisError) throw error;
    // A full disk of this process has been named where it was met.
    if (isDiskFull(error) && error instanceof Error && 'severity' in error)
      throw diskFull(`the server of ${colour}`, error);
    if (hasNoAnswer(error)) throw serverGone(colour, error);
    throw error;
  });
}

/** The same of work with sessions to both, none of which says whose it is. */
export async function byItsServer(
  servers: Pick<Servers, 'connection'>,
  colours: readonly Colour[],
  error: unknown,
): Promise<unknown> {
  const server = error instanceof VerdigrisError ? undefined : silenceOf(error);
  if (server === undefined) return error;
  for (const colour of colours) {
    const at = await servers.connection(colour).catch(() => undefined);
    if (at && `${at.host}:${at.port}` === server) return serverGone(colour, error);
  }
  return error;
}

/** 57P01 admin_shutdown: the server stops, or somebody called pg_terminate_backend. */
function serverGone(colour: Colour, cause: unknown): VerdigrisError {
  const ended = (cause as { code?: string }).code === '57P01';
  return new VerdigrisError('server-gone', {
    seen: ended
      ? `The server of ${colour} stops, or somebody ended Verdigris's session there: ${describe(cause)}`
      : `The server of ${colour} stopped, or does not answer: ${describe(cause)}`,
    required: 'both servers running while a command works.',
    next:
      `see why in its log (\`verdigris logs --colour ${colour}\`), ` +
      (ended ? 'and who may call pg_terminate_backend (members of pg_signal_backend), ' : '') +
      'then `verdigris start` and the same command again: what was begun is undone or continued.',
    facts: { colour },
    cause,
  });
}
