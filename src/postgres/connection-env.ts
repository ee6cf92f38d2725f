import type { ConnectionSettings } from './connection.ts';

/**
 * Without TLS, over a socket of this machine or a tunnel, it is said: drivers on Go's lib/pq demand TLS where nothing
 * is. Where the certificate is for another name than the address, tools can only check who has signed it.
 */
function sslmode({ host, tls }: ConnectionSettings): string {
  return tls?.servername !== undefined && tls.servername !== host ? 'verify-ca' : (tls?.mode ?? 'disable');
}

/**
 * `postgresql://…`, as Node's tools, Prisma and libpq read it. A folder of sockets is no host of a URL: it goes by the
 * parameter, which counts before the host that a URL must have.
 */
export function connectionUrl(connection: ConnectionSettings): string {
  const { user, password = '', host, port, database, tls } = connection;
  const [u, p, d] = [user, password, database].map(encodeURIComponent);
  const inUrl = host.startsWith('/') ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const folder = host.startsWith('/') ? `&host=${encodeURIComponent(host)}` : '';
  const ca = tls?.ca === undefined ? '' : `&sslrootcert=${encodeURIComponent(tls.ca)}`;
  return `postgresql://${u}:${p}@${inUrl}:${port}/${d}?sslmode=${sslmode(connection)}${folder}${ca}`;
}

/** libpq's variables and DATABASE_URL: how a program of somebody else's is led to one database. */
export function connectionEnv(connection: ConnectionSettings): Record<string, string> {
  const { host, port, user, password = '', database } = connection;
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: sslmode(connection),
    ...(connection.tls?.ca === undefined ? {} : { PGSSLROOTCERT: connection.tls.ca }),
    DATABASE_URL: connectionUrl(connection),
  };
}
