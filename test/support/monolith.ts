import { readFile } from 'node:fs/promises';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { betweenServers } from './external-pair.ts';
import { testMajor } from './postgres.ts';

/** The service's tables, as they are declared. */
const movedTables = ['workload.entry', 'workload.account', 'workload.extra'];

/** What the monolith has besides: `monolith_app` writes there, and reads a view over both sides. */
const others = `
  CREATE ROLE monolith_app LOGIN PASSWORD 'of the monolith';
  CREATE TYPE public.kind AS ENUM ('a', 'b');
  CREATE TABLE public.customers (id int PRIMARY KEY, kind public.kind, n int NOT NULL DEFAULT 0);
  INSERT INTO public.customers SELECT n, 'a' FROM generate_series(1, 100) n;
  CREATE TABLE public.without_key (id int);
  CREATE UNLOGGED TABLE public.cache (id int);
  CREATE TABLE workload.extra (id int PRIMARY KEY);
  INSERT INTO workload.extra SELECT generate_series(1, 1000);
  CREATE FUNCTION workload.balance(int) RETURNS bigint STABLE LANGUAGE sql
    RETURN (SELECT balance FROM workload.account WHERE id = $1);
  CREATE VIEW workload.rich AS SELECT * FROM workload.account WHERE balance > 0;
  CREATE VIEW public.shown AS SELECT c.id, a.balance FROM public.customers c JOIN workload.account a USING (id);
  GRANT SELECT, UPDATE ON public.customers TO monolith_app;
  GRANT SELECT ON public.shown TO monolith_app;
  GRANT CREATE ON SCHEMA public TO monolith_app;`;

export interface Monolith {
  readonly superuser: ConnectionSettings;
  readonly app: ConnectionSettings;
  /** By its superuser. */
  ask(sql: string): Promise<void>;
  /** Waits for locks of `monolith_app` above 100 ms, as its server has logged them. */
  waits(): Promise<string[]>;
}

/** A database of others on PostgreSQL 15 and an empty server of theirs, to which the service's tables are to go. */
export async function withMonolith(
  use: (monolith: Monolith, declaration: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  await betweenServers(
    async (declaration, theirs) => {
      const superuser = { ...theirs.superuser, database: 'shop' };
      const ask = (sql: string) =>
        withClient(superuser, 'test', async (client) => {
          await client.query(sql);
        });
      await ask(others);
      const monolith: Monolith = {
        superuser,
        app: { ...superuser, user: 'monolith_app', password: 'of the monolith' },
        ask,
        waits: async () =>
          (await readFile(theirs.log, 'utf8')).split('\n').filter((line) => /^monolith_app .*still waiting/.test(line)),
      };
      await use(monolith, { ...declaration, part: { tables: movedTables } });
    },
    [15, testMajor],
    { log_lock_waits: 'on', deadlock_timeout: '100ms', log_line_prefix: '%u ', max_slot_wal_keep_size: '1GB' },
  );
}

/** Writes and reads as the monolith's other clients do, and makes tables, while `use` runs; counts the writes. */
export async function besides({ app }: Monolith, use: () => Promise<void>): Promise<number> {
  let written = 0;
  let stop = false;
  const writing = withClient(app, 'monolith', async (client) => {
    while (!stop) {
      await client.query('UPDATE public.customers SET n = n + 1 WHERE id = $1', [1 + (written % 100)]);
      await client.query('SELECT * FROM public.shown LIMIT 1');
      written += 1;
      if (written % 20 === 0)
        await client.query(`CREATE TABLE public.passing_${written} (id int); DROP TABLE public.passing_${written}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  try {
    await Promise.race([use(), writing]);
  } finally {
    stop = true;
    await writing;
  }
  return written;
}
