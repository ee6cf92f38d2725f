/** Codes of the network, and SQLSTATEs of a server that starts, stops, or has no connection free. */
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
  '53300',
]);

/**
 * Whether a server did not answer at all; a server that refuses, or cannot be trusted, is another matter, and is said.
 */
export function isUnreachable(error: unknown): boolean {
  const { code, message = '', errors = [] } = error as { code?: string; message?: string; errors?: unknown[] };
  // node-postgres has no code for these.
  if (/^(timeout expired|Connection terminated)/.test(message)) return true;
  return codes.has(code ?? '') || (errors.length > 0 && errors.every(isUnreachable));
}
