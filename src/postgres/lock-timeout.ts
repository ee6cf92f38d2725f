import { VerdigrisError } from '../model/errors.ts';
import { rows, withFixedPath, type Client } from './client.ts';

/**
 * Explains errors of this connection: where a statement of its own gave up waiting for a lock, with the transactions
 * that were open for as long on its server, one of which holds it. Every other error comes back as it was, also that of
 * another connection which was used meanwhile: it waited on another server.
 */
export function lockTimeouts(client: Client, limit: number): (error: unknown) => Promise<unknown> {
  const own = new WeakSet<object>();
  client.connection.on('errorMessage', (error) => own.add(error as object));
  return async (error) => {
    if ((error as { code?: string }).code !== '55P03' || !own.has(error as object)) return error;
    // The session may be one for SQL of the user's.
    const open = await withFixedPath(client, () => rows<{ who: string }>(client, longOpen, [limit / 1000])).catch(
      () => [],
    );
    return new VerdigrisError('lock-timeout', {
      seen: `A statement waited ${limit} ms for a lock. Transactions open that long: ${open.map(({ who }) => who).join(', ') || 'none now'}.`,
      required: 'the lock within that time.',
      next: 'wait for them or end them (pg_terminate_backend), then run the same command again: it continues from here.',
      cause: error,
    });
  };
}

const longOpen = `
  SELECT usename || ' (pid ' || pid || ', since ' || xact_start::timestamptz(0) || ', ' || state || ')' AS who FROM pg_stat_activity
  WHERE xact_start < clock_timestamp() - make_interval(secs => $1) AND pid <> pg_backend_pid()
  AND backend_type = 'client backend' ORDER BY xact_start LIMIT 10`;
