import { pauseUnless } from '../../model/wait.ts';
import { one, type Client } from '../client.ts';

/** Milliseconds between two looks at a live server that has enough to do. */
const pause = 200;

/**
 * Waits while more than `limit` sessions of others are at work on the live server at this moment. Called before each
 * piece of a copy: what is under way is never broken off, for it would have to be read again. Sessions that the role
 * may not look into do not count (pg_read_all_stats shows them).
 */
export async function yieldToClients(live: Client, limit: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    // Within a transaction the server goes on showing what it showed first.
    await live.query('SELECT pg_stat_clear_snapshot()');
    const { active } = await one<{ active: number }>(
      live,
      `SELECT count(*)::int AS active FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND state = 'active' AND application_name NOT LIKE 'verdigris%' AND pid <> pg_backend_pid()`,
    );
    if (active <= limit) return;
    await pauseUnless(pause, signal);
  }
}
