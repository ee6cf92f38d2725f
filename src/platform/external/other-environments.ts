import { rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';

/**
 * Other databases of the server that are an environment's of Verdigris: the fence of each closes the roles of the whole
 * server, and both would give Verdigris's roles their passwords. Those that nobody lets us into are none that we know.
 */
export async function otherEnvironments(
  client: Client,
  given: ConnectionSettings,
  own: readonly string[],
): Promise<readonly string[]> {
  const others = await rows<{ name: string }>(
    client,
    `SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> ALL ($1) ORDER BY 1`,
    [own],
  );
  const found: string[] = [];
  // One at a time: a server with more databases than free connections would refuse some, which would pass for nobody's.
  for (const { name } of others) {
    const schema = await withOwnSession({ ...given, database: name }, 'adopt', (inside) =>
      rows(inside, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'"),
    ).catch(() => []);
    if (schema.length > 0) found.push(name);
  }
  return found;
}
