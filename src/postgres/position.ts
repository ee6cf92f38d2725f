import type { Lsn } from '../model/lsn.ts';
import { waitFor } from '../model/wait.ts';
import { one, type Client } from './client.ts';

/** How long the replay position of a parked standby must stand still before it is believed, in ms. */
const stillFor = 200;

interface Parked {
  readonly inRecovery: boolean;
  readonly position: Lsn | null;
  /** What the startup process waits for; it looks for more log only after it replayed all there is. */
  readonly waiting: string | null;
}

/** Wait events of a startup process that has run out of log (PostgreSQL docs, 27.2.3). */
const outOfLog = new Set(['RecoveryRetrieveRetryInterval', 'RecoveryWalStream']);

/**
 * X: what a parked standby has replayed, once it stands still. Undefined where the server is no longer in recovery:
 * then X is lost, since neither the log nor the control file nor the current LSN gives it exactly (measured:
 * transactions lost or doubled).
 */
export async function parkedPosition(client: Client, limit: number, signal?: AbortSignal): Promise<Lsn | undefined> {
  let last: { position: Lsn; since: number } | undefined;
  const found = await waitFor(
    async () => {
      const parked = await one<Parked>(
        client,
        'SELECT pg_is_in_recovery() AS "inRecovery", pg_last_wal_replay_lsn()::text AS position, (SELECT ' +
          'wait_event FROM pg_stat_activity WHERE backend_type = $1) AS waiting',
        ['startup'],
      );
      if (!parked.inRecovery) return { position: undefined };
      if (parked.position === null || !outOfLog.has(parked.waiting ?? '')) {
        last = undefined;
        return undefined;
      }
      if (last?.position !== parked.position) last = { position: parked.position, since: performance.now() };
      return performance.now() - last.since >= stillFor ? { position: last.position } : undefined;
    },
    {
      limit,
      signal,
      every: 20,
      slowest: 50,
      what: 'a replay position that no longer moves',
      next: 'see the log of the candidate; abandon and seed again.',
    },
  );
  return found.position;
}
