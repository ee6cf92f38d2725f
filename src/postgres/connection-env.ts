import type { ConnectionSettings } from './client.ts';

/**
 * A program connects as Verdigris does: without TLS, over a socket of this machine or a tunnel. It is said, because drivers on Go's lib/pq
 * demand TLS where nothing is.
 */
const sslmode = 'disable';

/** `postgresql://…`, as Node's tools and libpq read it. */
export function connectionUrl({ user, password = '', host, port, database }: ConnectionSettings): string {
  const [u, p, d] = [user, password, database].map(encodeURIComponent);
  return `postgresql://${u}:${p}@${host}:${port}/${d}?sslmode=${sslmode}`;
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
    PGSSLMODE: sslmode,
    DATABASE_URL: connectionUrl(connection),
  };
}
