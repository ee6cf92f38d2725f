import type { Lsn } from '../model/lsn.ts';
import { one, rows, type Client } from './client.ts';

interface Standby {
  readonly recovering: boolean;
  readonly identifier: string;
  readonly slot: string | null;
  /** Of the process that receives the log; null where none does. */
  readonly receiving: boolean;
  /** By which the live server knows it, where no slot says so. */
  readonly names: readonly string[];
}

/** What keeps a standby from being promoted to be the candidate, each with what fixes it. */
export async function standbyProblems(live: Client, candidate: Client): Promise<string[]> {
  const { identifier, ...standby } = await readStandby(candidate);
  if (!standby.recovering) return ['it is no standby (pg_is_in_recovery): declare one, or seed by another method.'];
  const here = await one<{ identifier: string; listed: string }>(
    live,
    `SELECT system_identifier::text AS identifier, coalesce(current_setting('synchronized_standby_slots', true), '') AS listed
    FROM pg_control_system()`,
  );
  const waited = await rows<{ name: string; state: string }>(
    live,
    `SELECT r.application_name AS name, r.sync_state AS state FROM pg_stat_replication r
    LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
    WHERE r.sync_state IN ('sync', 'quorum') AND (s.slot_name = $1 OR (s.slot_name IS NULL AND r.application_name = ANY ($2)))`,
    [standby.slot, standby.names],
  );
  const subscriptions = await rows<{ name: string }>(live, 'SELECT subname AS name FROM pg_subscription ORDER BY 1');
  return [
    ...(identifier === here.identifier
      ? []
      : ['its system identifier is another: it is no copy of the live server at all.']),
    ...(standby.receiving
      ? []
      : ['it receives no log from anybody (pg_stat_wal_receiver): have it stream from the live server.']),
    ...waited.map(
      ({ name, state }) =>
        `the live server waits for it at each commit (${name}, ${state}): take it out of synchronous_standby_names, ` +
        'else all writes would stand still once it is promoted.',
    ),
    ...(standby.slot !== null && here.listed.split(/\s*,\s*/).includes(standby.slot)
      ? [
          `synchronized_standby_slots names its slot ${standby.slot}: take it out, else logical replication would wait for it.`,
        ]
      : []),
    ...(subscriptions.length > 0
      ? [
          `the subscriptions ${subscriptions.map(({ name }) => name).join(', ')} would start on it the moment it is ` +
            'promoted, and take from their publishers: seed by another method.',
        ]
      : []),
  ];
}

/** The physical slot by which the live server keeps log for it; null where there is none. */
export async function slotOfStandby(candidate: Client): Promise<string | null> {
  return (await readStandby(candidate)).slot;
}

async function readStandby(candidate: Client): Promise<Standby> {
  return one<Standby>(
    candidate,
    `SELECT pg_is_in_recovery() AS recovering, (SELECT system_identifier::text FROM pg_control_system()) AS identifier,
      w.slot_name AS slot, w.status = 'streaming' IS TRUE AS receiving,
      array_remove(ARRAY['walreceiver', nullif(current_setting('cluster_name'), ''),
        substring(w.conninfo FROM 'application_name=''?([^ '']+)')], NULL) AS names
    FROM (SELECT) always LEFT JOIN pg_stat_wal_receiver w ON true`,
  );
}

/** How far a standby has replayed the log; null once it is promoted. */
export async function replayed(candidate: Client): Promise<Lsn | null> {
  const { position } = await one<{ position: Lsn | null }>(
    candidate,
    'SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END AS position',
  );
  return position;
}

/** Where a promoted server left the timeline that it had followed. */
export interface Fork {
  /** X: it holds exactly what committed before. */
  readonly position: Lsn;
  /** The timeline that it left there. */
  readonly from: number;
}

/**
 * Of the last line of the history file of the timeline that it is on: what PostgreSQL itself wrote when it ended
 * recovery. Durable, and the same however often it is read.
 */
export async function forkOf(promoted: Client): Promise<Fork | undefined> {
  const [found] = await rows<{ text: string | null }>(
    promoted,
    `SELECT pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) || '.history', true) AS text`,
  );
  return forkIn(found?.text ?? '');
}

/** In the text of a history file. */
export function forkIn(history: string): Fork | undefined {
  const lines = history.split('\n').flatMap((line) => {
    const [, timeline, position] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)\s/i.exec(line) ?? [];
    return timeline === undefined || position === undefined ? [] : [{ from: Number(timeline), position }];
  });
  return lines.at(-1);
}
