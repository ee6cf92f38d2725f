import type { Environment } from '../model/environment.ts';
import { plainRefused, poolerTlsMount } from './certificates.ts';
import { objectNames } from './names.ts';
import { consoleReader, consoleUser, quoteForPgBouncer } from './pooler-users.ts';

type Declared = Pick<Environment, 'name' | 'database' | 'kubernetes'>;

/** By this name readers get the database through the readers' Service, and with it the canary. */
export function readersDatabase(database: string): string {
  return `${database}_ro`;
}
/** Never paused: by them the operator asks, along the clients' own paths of writes and of reads, who answers. */
export const probeDatabases = ['verdigris_probe', 'verdigris_probe_ro'] as const;

/** pgbouncer.ini. What a switchover rests on is said beside it. */
export function poolerSettings(environment: Declared): string {
  const {
    name,
    database,
    kubernetes: { namespace, pooler },
  } = environment;
  const target = (service: string): string =>
    `host=${service}.${namespace}.svc port=5432 dbname='${database.replaceAll("'", "''")}'`;
  return `[databases]
${key(database)} = ${target(objectNames.writes(name))}
${key(readersDatabase(database))} = ${target(objectNames.reads(name))}
${probeDatabases[0]} = ${target(objectNames.writes(name))} pool_mode=transaction pool_size=2
${probeDatabases[1]} = ${target(objectNames.reads(name))} pool_mode=transaction pool_size=2

[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /etc/pgbouncer-users/userlist.txt
admin_users = ${consoleUser}
stats_users = ${consoleReader}
pool_mode = ${pooler.mode}
default_pool_size = ${pooler.poolSize}
max_client_conn = ${pooler.maxClients}
max_prepared_statements = 200
# What else a connection string sets is refused: dropped, it would lead a client into another schema than it named.
ignore_startup_parameters = extra_float_digits
# A fenced colour refuses logins: the wait after such a refusal would be passed on to clients as errors once writes have moved.
server_login_retry = 0
# A client that is held waits; how long that may last is the business of whoever holds, not of this limit.
query_wait_timeout = 120
server_connect_timeout = 5
server_check_delay = 1
tcp_keepalive = 1
tcp_keepidle = 10
tcp_keepintvl = 5
tcp_keepcnt = 3
log_connections = 0
log_disconnections = 0
${tlsSettings(environment)}`;
}

/**
 * Between clients and poolers, and between poolers and servers: a server that has no certificate yet is taken as it is,
 * until plain text is refused.
 */
function tlsSettings(environment: Declared): string {
  if (!environment.kubernetes.tls) return '';
  const refused = plainRefused(environment);
  return `client_tls_sslmode = ${refused ? 'require' : 'allow'}
client_tls_cert_file = ${poolerTlsMount}/tls.crt
client_tls_key_file = ${poolerTlsMount}/tls.key
server_tls_sslmode = ${refused ? 'verify-full' : 'prefer'}
server_tls_ca_file = ${poolerTlsMount}/ca.crt
`;
}

/** A key is quoted only where it must be: not every version of PgBouncer takes quotes here. */
function key(database: string): string {
  return /^[\w.-]+$/.test(database) ? database : quoteForPgBouncer(database);
}
