/**
 * The system's codes of a server that nobody reaches, whose name nobody knows now, or whose end of a connection is
 * gone, and SQLSTATEs of one that starts, stops or crashed. None of class 08: with these a server that does answer says
 * that it did not reach another one.
 */
const codes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
]);

/**
 * What node-postgres says, without a code, of a connection that ended, and of an answer that no server gives which
 * works: to the request for TLS neither yes nor no, as of one that cannot start a process for it, or what is no message.
 */
const words =
  /^timeout expired|^Connection terminated|not queryable|^There was an error establishing an SSL connection|^received invalid response/;

/**
 * Whether a connection failed, or ended, because a server did not answer, or does no more. One that refuses, or cannot be
 * trusted, answers.
 */
export function hasNoAnswer(error: unknown): boolean {
  const { code = '', message = '', syscall, errors = [] } = error as Partial<NodeJS.ErrnoException & AggregateError>;
  // The folder of a socket goes with the server that made it.
  if (code === 'ENOENT') return syscall === 'connect';
  return codes.has(code) || words.test(message) || (errors.length > 0 && errors.every(hasNoAnswer));
}

const silent = new WeakMap<object, string>();

/** Notes by whose silence something failed: `host:port`. */
export function noteSilence(error: unknown, server: string): void {
  if (typeof error === 'object' && error !== null && hasNoAnswer(error) && !silent.has(error))
    silent.set(error, server);
}

/** By whose silence it failed, `host:port`, where a session noticed. */
export function silenceOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? silent.get(error) : undefined;
}
