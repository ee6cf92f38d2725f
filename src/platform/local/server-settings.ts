import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Settings } from './server.ts';

/** What a colour's server is started with; while it is a parked copy, it neither streams nor applies. */
export function serverSettings(
  { name, limits }: Pick<Environment, 'name' | 'limits'>,
  colour: Colour,
  parked: boolean,
  extra: Settings,
): Settings {
  return {
    cluster_name: `${name}-${colour}`,
    wal_level: 'logical',
    max_replication_slots: '20',
    max_wal_senders: '20',
    max_connections: '200',
    max_logical_replication_workers: parked ? '0' : '8',
    max_slot_wal_keep_size: `${Math.ceil(limits.retainedWal / 1024 ** 2)}MB`,
    // The apply worker reports what it has flushed at this interval, and the barrier of a switchover waits for that
    // report.
    wal_writer_delay: '10ms',
    shared_buffers: '128MB',
    password_encryption: 'scram-sha-256',
    hot_standby: 'on',
    archive_mode: 'off',
    ...(parked ? { primary_conninfo: '', restore_command: '' } : {}),
    ...extra,
  };
}
