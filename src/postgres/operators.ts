import { operatorRole } from '../model/names.ts';
import { waitFor } from '../model/wait.ts';
import { rows, type Client } from './client.ts';

/** Milliseconds that a session has to end. */
const patience = 5_000;

/**
 * Cuts the connections of every other operator, one that sleeps and may wake among them; waits until they are gone, 5 s
 * at most.
 */
export async function endOperators(client: Client): Promise<void> {
  const left = () =>
    rows(
      client,
      `WITH other AS MATERIALIZED (
        SELECT pid FROM pg_stat_activity WHERE usename = $1 AND application_name = 'verdigris/operator' AND pid <> pg_backend_pid())
      SELECT pg_terminate_backend(pid) FROM other`,
      [operatorRole],
    );
  // Whoever does not end is met at the lock that he holds.
  await waitFor(async () => ((await left()).length === 0 ? true : undefined), {
    limit: patience,
    every: 5,
    slowest: 50,
    what: 'no session of another operator',
    next: 'see pg_stat_activity.',
  }).catch(() => undefined);
}
