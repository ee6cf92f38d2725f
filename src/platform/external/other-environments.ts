import { ownRoles } from '../../model/names.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';

/**
 * Other databases of the server that are an environment's of Verdigris: the fence of each closes the roles of the whole
 * server, and both would give Verdigris's roles their passwords. A template is one too, and so is one that allows no
 * connections for now. Of those that do not let us in the server knows which have something of Verdigris's roles in
 * them.
 */
export async function otherEnvironments(
  client: Client,
  given: ConnectionSettings,
  own: readonly string[],
): Promise<readonly string[]> {
  const others = await rows<{ name: string; ours: boolean }>(
    client,
    `
    SELECT d.datname AS name, EXISTS (
      SELECT FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
      WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass AND s.classid = 'pg_namespace'::regclass
      AND r.rolname = ANY ($2)) AS ours
    FROM pg_database d WHERE d.datname <> ALL ($1) ORDER BY 1`,
    [own, ownRoles],
  );
  const found: string[] = [];
  // One at a time: a server with more databases than free connections would refuse some.
  for (const { name, ours } of others) {
    const here = await withOwnSession({ ...given, database: name }, 'adopt', (inside) =>
      rows(inside, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'"),
    ).then(
      (schemas) => schemas.length > 0,
      () => ours,
    );
    if (here) found.push(name);
  }
  return found;
}
