import type { ConnectionSettings } from './client.ts';

/** `postgresql://…`, as Node's tools and libpq read it. */
export function connectionUrl({ user, password = '', host, port, database }: ConnectionSettings): string {
  const [u, p, d] = [user, password, database].map(encodeURIComponent);
  return `postgresql://${u}:${p}@${host}:${port}/${d}`;
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
    DATABASE_URL: connectionUrl(connection),
  };
}
