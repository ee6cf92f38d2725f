import type { Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { plainRefused, reloadOnRenewal } from './certificates.ts';
import { closedToAll, closedToNobody, lockSetting, refusingRules } from '../model/closed-file.ts';
import { quietSettings } from '../model/quiet-settings.ts';
import {
  hookRole,
  lockerRole,
  migrationRole,
  operatorRole,
  ownRoles,
  readerRole,
  replicationRole,
} from '../model/names.ts';

/** Where the certificate is in both servers, with `kubernetes.tls`. */
export const tlsMount = '/etc/verdigris-tls';

export const dataMount = '/var/lib/postgresql/data';
/** Whom pg_hba.conf refuses. Beside the data directory, so that it lasts as long as the volume. */
const closedFile = 'verdigris_closed';

/** What a switchover rests on: no declaration overrides it. */
function required(
  environment: Pick<Environment, 'name' | 'limits' | 'kubernetes'>,
  colour: Colour,
): Record<string, string> {
  return {
    ...(environment.kubernetes.tls
      ? { ssl: 'on', ssl_cert_file: `${tlsMount}/tls.crt`, ssl_key_file: `${tlsMount}/tls.key` }
      : {}),
    listen_addresses: '*',
    port: '5432',
    // How clients, probes and the oracle tell the colours apart: the system identifier is the same on both.
    cluster_name: `${environment.name}-${colour}`,
    hba_file: '/etc/verdigris/pg_hba.conf',
    [lockSetting]: `${dataMount}/${closedFile}`,
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
  // The apply worker reports what it has flushed at this interval, and the barrier of a switchover waits for that
  // report.
  wal_writer_delay: '10ms',
};

/**
 * Settings of a colour, as `name=value` lines that the start script gives to the server: over the data directory's own
 * files.
 */
export function settingsFile(environment: Pick<Environment, 'name' | 'limits' | 'kubernetes'>, colour: Colour): string {
  return lines({ ...suggested, ...environment.kubernetes.settings, ...required(environment, colour) });
}

/**
 * Of a parked standby, over its ordinary ones: nothing to stream or restore from, and no copied subscription that could
 * run.
 */
export const parkedFile = lines({ max_logical_replication_workers: '0', primary_conninfo: '', restore_command: '' });

function lines(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/**
 * Passwords for everybody, and for the replication role only the environment's database. A socket needs one too.
 * Verdigris's own roles come first, so that a closed server refuses all others.
 */
export function hbaFile(environment: Pick<Environment, 'database' | 'kubernetes'>): string {
  const host = plainRefused(environment) ? 'hostssl' : 'host';
  return [
    ['local', 'all', ownRoles.join(','), '', 'scram-sha-256'],
    [
      environment.kubernetes.tls ? 'hostssl' : 'host',
      `"${environment.database.replaceAll('"', '""')}"`,
      replicationRole,
      'all',
      'scram-sha-256',
    ],
    ['host', 'all', replicationRole, 'all', 'reject'],
    [host, 'all', [operatorRole, readerRole, lockerRole, migrationRole, hookRole].join(','), 'all', 'scram-sha-256'],
    ...refusingRules(`${dataMount}/${closedFile}`).map((rule) => [rule]),
    ['local', 'all', 'all', '', 'scram-sha-256'],
    ['host', 'replication', 'all', 'all', 'reject'],
    [host, 'all', 'all', 'all', 'scram-sha-256'],
  ]
    .map((fields) => `${fields.filter(Boolean).join(' ')}\n`)
    .join('');
}

/**
 * Starts the server by the image's own entry point. A restored volume is parked at its first boot only, which a file
 * beside the data remembers by the claim's uid, for it is copied with the volume: were it parked again after its
 * promotion, its position would be read wrong.
 */
export const startScript = `set -euo pipefail
settings=()
while IFS= read -r line; do if [ -n "$line" ]; then settings+=(-c "$line"); fi; done </etc/verdigris/settings
volume=$(dirname "$PGDATA")
closed=$volume/${closedFile}
if [ -e "$volume/upgrade.busy" ]; then echo "pg_upgrade is at work on this volume" >&2; exit 1; fi
# The container of a pod that was deleted by force may still run, and PostgreSQL does not see a server in another container. The lock
# is inherited by every process of this one, and free once the last of them has ended.
exec 9>"$volume/server.lock"
flock 9
# A copy of a volume that was laid out by somebody else: its data directory becomes ours, by renames, as often as it takes.
if [ -n "\${VERDIGRIS_DATA_PATH+set}" ] && [ ! -e "$PGDATA" ]; then
  mkdir -p "$volume/incoming"
  for entry in "$volume/$VERDIGRIS_DATA_PATH"/* "$volume/$VERDIGRIS_DATA_PATH"/.[!.]*; do
    case $(basename "$entry") in incoming|lost+found|server.lock) ;; *) if [ -e "$entry" ]; then mv "$entry" "$volume/incoming/"; fi ;; esac
  done
  chmod 0700 "$volume/incoming"
  mv "$volume/incoming" "$PGDATA"
  sync "$volume"
fi
if [ -n "\${VERDIGRIS_PARKED:-}" ]; then
  while IFS= read -r line; do if [ -n "$line" ]; then settings+=(-c "$line"); fi; done </etc/verdigris/parked
  mark=$(dirname "$PGDATA")/parked-$VERDIGRIS_PARKED
  if [ ! -e "$mark" ]; then
    test -s "$PGDATA/PG_VERSION" || { echo "the restored volume holds no database in $PGDATA" >&2; exit 1; }
    if [ -n "\${VERDIGRIS_BACKUP_LABEL:-}" ]; then
      # Copied piece by piece, its own log is torn; the other snapshot's was complete up to the end of the backup before it was taken.
      rm -rf "$PGDATA"/pg_wal/[0-9A-F]* "$PGDATA"/pg_replslot/* "$PGDATA/postmaster.pid"
      cp "$VERDIGRIS_LOG"/[0-9A-F]* "$PGDATA/pg_wal/"
      printf '%s' "$VERDIGRIS_BACKUP_LABEL" >"$PGDATA/backup_label"
      sync -f "$PGDATA"
    fi
    # Nobody gets in before a fence was opened, whatever the original's roles may do.
    echo ${closedToAll} >"$closed"
    touch "$PGDATA/standby.signal"
    rm -f "$PGDATA/recovery.signal"
    touch "$mark"
    sync "$closed" "$PGDATA/standby.signal" "$mark" "$PGDATA" "$(dirname "$PGDATA")"
  fi
fi
if [ -n "\${VERDIGRIS_PROVISIONED:-}" ]; then
  while IFS= read -r line; do if [ -n "$line" ]; then settings+=(-c "$line"); fi; done </etc/verdigris/parked
  mark=$volume/provisioned-$VERDIGRIS_PROVISIONED
  if [ ! -e "$mark" ]; then
    test -s "$PGDATA/PG_VERSION" || { echo "the restored volume holds no database in $PGDATA" >&2; exit 1; }
    chmod 0700 "$PGDATA"
    # Copied from a server that ran as process 1 of its container: process 1 of this one, the shell here, would be taken for it.
    rm -f "$PGDATA/standby.signal" "$PGDATA/recovery.signal" "$PGDATA/postmaster.pid"
    secret=\${POSTGRES_PASSWORD//\\'/\\'\\'}
    # Alone and without a log-in: it recovers, and nobody whom the original knew can come in once the server listens.
    # Alone, a statement ends with its line. The first ones: the password comes into no log.
    said=$(postgres --single -D "$PGDATA" "\${settings[@]}" postgres <<SQL
${quietSettings('SET').join('\n')}
DO \\$\\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$POSTGRES_USER') THEN CREATE ROLE "$POSTGRES_USER"; END IF; END \\$\\$
ALTER ROLE "$POSTGRES_USER" SUPERUSER LOGIN PASSWORD '$secret'
DO \\$\\$ DECLARE name text; BEGIN FOR name IN SELECT rolname FROM pg_roles WHERE rolcanlogin \\
  AND rolname <> '$POSTGRES_USER' LOOP EXECUTE format('ALTER ROLE %I NOLOGIN', name); END LOOP; END \\$\\$
SELECT string_agg(rolname, ' ') AS admitted FROM pg_roles WHERE rolcanlogin
SQL
    )
    # Alone, a statement that fails does not end the server.
    [[ $said == *"admitted = \\"$POSTGRES_USER\\""* ]] || { echo "the copy could not be closed: $said" >&2; exit 1; }
    rm -f "$volume"/parked-* "$volume"/provisioned-*
    echo ${closedToAll} >"$closed"
    touch "$mark"; sync "$closed" "$mark" "$volume"
  fi
fi
# Never empty: then it would be no rule, and no server would start. The roles of a fence are closed durably all the same.
if [ ! -s "$closed" ]; then echo ${closedToNobody} >"$closed"; sync "$closed" "$volume"; fi
if [ -e ${tlsMount} ]; then
${reloadOnRenewal(tlsMount, `kill -HUP "$(head -1 "$PGDATA/postmaster.pid")" || true`)}
fi
exec docker-entrypoint.sh postgres "\${settings[@]}"
`;
