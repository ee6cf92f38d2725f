import { VerdigrisError } from '../../model/errors.ts';
import { one, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withPooledSession } from '../../postgres/session.ts';

/** What a server never answers a login with, and PgBouncer always: protocol_violation. */
const poolersRefusal = '08P01';

/**
 * A pooler gives each transaction another server session; slots, fences and locks are none of its.
 * @throws VerdigrisError `external-pooler`
 */
export async function requireServer(given: ConnectionSettings): Promise<void> {
  const pooler = await withPooledSession({ ...given, database: 'pgbouncer' }, 'adopt', (client) =>
    client.query('SHOW VERSION').then(() => true),
  ).catch(
    (error: { code?: string; message?: string }) =>
      // PgBouncer's own words; a server says that there is no such database.
      error.code === poolersRefusal ||
      (/pgbouncer|not allowed to connect to|no such user/i.test(error.message ?? '') && error.code !== '3D000'),
  );
  if (pooler) throw isPooler(given, 'is a PgBouncer, not a server');
}

/**
 * Poolers of any kind give a client a key of their own, by which it cancels; a server's names its process.
 * @throws VerdigrisError `external-pooler`
 */
export async function requireOwnProcess(client: Client, given: ConnectionSettings): Promise<void> {
  const { pid } = await one<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
  const { processID } = client as unknown as { readonly processID: number | null };
  if (processID !== pid)
    throw isPooler(given, 'is a pooler or a proxy, not a server: it answers in the name of another process');
}

function isPooler(given: ConnectionSettings, what: string): VerdigrisError {
  return new VerdigrisError('external-pooler', {
    seen: `${given.host}:${given.port} ${what}.`,
    required: 'the address of PostgreSQL itself: replication and the fence need sessions of the server.',
    next: 'declare the address behind the pooler; nothing was changed.',
  });
}
