import { one, type Client } from './client.ts';

export interface ServerIdentity {
  /** pg_postmaster_start_time() as text: changes with every restart, crash restarts of backends excepted. */
  readonly startTime: string;
  /** Changes with every promotion. */
  readonly timeline: number;
  readonly inRecovery: boolean;
  /** Whether a transaction begun by this role writes nothing, by a default or in recovery. */
  readonly readOnly: boolean;
  /** cluster_name, `<environment>-<colour>` on the local platform. */
  readonly clusterName: string;
}

export async function serverIdentity(client: Client): Promise<ServerIdentity> {
  // The control file's timeline is that of the last checkpoint; a promoted server's current one is in its WAL file
  // names.
  return one<ServerIdentity>(
    client,
    `
    SELECT pg_postmaster_start_time()::text AS "startTime", pg_is_in_recovery() AS "inRecovery",
      current_setting('transaction_read_only') = 'on' AS "readOnly", current_setting('cluster_name') AS "clusterName",
      CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline`,
  );
}
