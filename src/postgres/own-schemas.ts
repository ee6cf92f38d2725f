import { rows, type Client } from './client.ts';
import { schemaTaken, type SchemaTaken } from './refused.ts';
import { takenSchema } from './session-settings.ts';

/**
 * Asked again behind CREATE SCHEMA IF NOT EXISTS: somebody else may have made it since the session began.
 * @throws VerdigrisError `schema-taken`
 */
export async function requireOwnSchemas(client: Client): Promise<void> {
  const [found] = await rows<{ taken: SchemaTaken | null }>(client, `SELECT ${takenSchema}`);
  const { host, port, database = '' } = client;
  if (found?.taken) throw schemaTaken({ host, port, database }, found.taken);
}
