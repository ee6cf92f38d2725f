import { waitFor } from '../model/wait.ts';
import { one, type Client } from './client.ts';

/** Seconds that a promotion may take: it ends with a checkpoint. */
const limit = 60;

/** Ends the recovery of a parked standby and returns when it has ended. Does nothing where it had. */
export async function promoteServer(client: Client, signal?: AbortSignal): Promise<void> {
  const recovering = async (): Promise<boolean> =>
    (await one<{ recovering: boolean }>(client, 'SELECT pg_is_in_recovery() AS recovering')).recovering;
  if (!(await recovering())) return;
  await client.query('SELECT pg_promote(true, $1)', [limit]);
  await waitFor(async () => ((await recovering()) ? undefined : true), {
    limit: limit * 1000,
    signal,
    what: 'the end of recovery',
    next: "see the server's log.",
  });
}
