import { operatorRole } from '../model/names.ts';
import type { Client } from './client.ts';

/**
 * Cuts the connections of every other operator, one that sleeps and may wake among them; waits until they are gone, 5 s
 * at most.
 */
export async function endOperators(client: Client): Promise<void> {
  await client.query(
    `
    WITH other AS MATERIALIZED (
      SELECT pid FROM pg_stat_activity WHERE usename = $1 AND application_name = 'verdigris/operator' AND pid <> pg_backend_pid())
    SELECT pg_terminate_backend(pid, 5000) FROM other`,
    [operatorRole],
  );
}
