import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { operatorRole, replicationRole } from '../../model/names.ts';

/** What a switchover rests on: no declaration overrides it. */
function required(environment: Pick<Environment, 'name' | 'limits'>, colour: Colour): Record<string, string> {
  return {
    listen_addresses: '*',
    port: '5432',
    // How clients, probes and the oracle tell the colours apart: the system identifier is the same on both.
    cluster_name: `${environment.name}-${colour}`,
    hba_file: '/etc/verdigris/pg_hba.conf',
    unix_socket_directories: '/var/run/postgresql',
    wal_level: 'logical',
    hot_standby: 'on',
    max_slot_wal_keep_size: `${Math.ceil(environment.limits.retainedWal / 1024 ** 2)}MB`,
    password_encryption: 'scram-sha-256',
    // A copy has the original's system identifier: two colours archiving to one place would collide.
    archive_mode: 'off',
  };
}

const suggested: Readonly<Record<string, string>> = {
  max_connections: '200',
  max_replication_slots: '20',
  max_wal_senders: '20',
  max_logical_replication_workers: '8',
  // The apply worker reports what it has flushed at this interval, and the barrier of a switchover waits for that report.
  wal_writer_delay: '10ms',
};

/** Settings of a colour, as `name=value` lines that the start script gives to the server: over the data directory's own files. */
export function settingsFile(environment: Pick<Environment, 'name' | 'limits' | 'kubernetes'>, colour: Colour): string {
  return lines({ ...suggested, ...environment.kubernetes.settings, ...required(environment, colour) });
}

/** Of a parked standby, over its ordinary ones: nothing to stream or restore from, and no copied subscription that could run. */
export const parkedFile = lines({ max_logical_replication_workers: '0', primary_conninfo: '', restore_command: '' });

function lines(settings: Record<string, string>): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join('');
}

/** Passwords for everybody, and for the replication role only the environment's database. A socket needs one too. */
export function hbaFile(environment: Pick<Environment, 'database'>): string {
  return [
    ['local', 'all', 'all', '', 'scram-sha-256'],
    ['host', `"${environment.database.replaceAll('"', '""')}"`, replicationRole, 'all', 'scram-sha-256'],
    ['host', 'all', replicationRole, 'all', 'reject'],
    ['host', 'all', operatorRole, 'all', 'scram-sha-256'],
    ['host', 'replication', 'all', 'all', 'reject'],
    ['host', 'all', 'all', 'all', 'scram-sha-256'],
  ].map((fields) => `${fields.filter(Boolean).join(' ')}\n`).join('');
}

/**
 * Starts the server by the image's own entry point. A restored volume is parked at its first boot only, which a file beside the
 * data remembers by generation: were it parked again after its promotion, its position would be read wrong.
 */
export const startScript = `set -euo pipefail
settings=()
while IFS= read -r line; do if [ -n "$line" ]; then settings+=(-c "$line"); fi; done </etc/verdigris/settings
if [ -e "$(dirname "$PGDATA")/upgrade.busy" ]; then echo "pg_upgrade is at work on this volume" >&2; exit 1; fi
if [ -n "\${VERDIGRIS_PARKED:-}" ]; then
  while IFS= read -r line; do if [ -n "$line" ]; then settings+=(-c "$line"); fi; done </etc/verdigris/parked
  mark=$(dirname "$PGDATA")/parked-$VERDIGRIS_PARKED
  if [ ! -e "$mark" ]; then
    test -s "$PGDATA/PG_VERSION" || { echo "the restored volume holds no database in $PGDATA" >&2; exit 1; }
    touch "$PGDATA/standby.signal"
    rm -f "$PGDATA/recovery.signal"
    touch "$mark"
    sync "$PGDATA/standby.signal" "$mark" "$PGDATA" "$(dirname "$PGDATA")"
  fi
fi
exec docker-entrypoint.sh postgres "\${settings[@]}"
`;
