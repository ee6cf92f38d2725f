import { execa } from 'execa';
import { withEnvironment } from '../support/environment.ts';
import { hasPgBouncer, withPgBouncer } from '../support/pgbouncer.ts';
import type { BenchRow } from './measure.ts';

/** Of Debian, whose pgbench is of this one. */
const major = 15;
const pgbench = `/usr/lib/postgresql/${major}/bin/pgbench`;
const clients = 8;
/** Of each run; there are two a side, by turns. */
const seconds = 10;

/** What pgbench calls its kinds of load. */
const kinds = {
  'select only': ['-S'],
  'simple update': ['-N'],
  'tpcb-like': [],
} as const;

/** Transactions a second of one server through the router and through a PgBouncer of pool_mode transaction. */
export async function benchRouter(): Promise<BenchRow[]> {
  if (!hasPgBouncer)
    return [{ what: 'router against PgBouncer', value: 'not measured: this machine has no PgBouncer' }];
  const colours = { blue: { release: '1', postgres: major }, green: { release: '2', postgres: major } };
  return withEnvironment({ declaration: { colours } }, async ({ platform, credentials, on, environment }) => {
    const server = await platform.servers.connection('blue');
    const reached = ['-h', server.host, '-p', String(server.port), '-U', server.user];
    await execa(pgbench, ['-i', '-q', '-s', '10', ...reached, environment.database]);
    await on('blue', (client) =>
      client.query('GRANT ALL ON pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history TO shop_app'),
    );
    const password = credentials['shop_app'] ?? '';
    const rate = async (port: number, kind: readonly string[]): Promise<number> => {
      const load = ['-n', '-c', String(clients), '-j', '2', '-T', String(seconds), ...kind];
      const at = ['-h', '127.0.0.1', '-p', String(port), '-U', 'shop_app', environment.database];
      const { stdout } = await execa(pgbench, [...load, ...at], { env: { PGPASSWORD: password } });
      return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    };
    const router = Number((await platform.traffic.status()).address.split(':')[1]);
    return withPgBouncer(server, { shop_app: password }, async (pooler) => {
      const rows: BenchRow[] = [];
      for (const [name, kind] of Object.entries(kinds)) {
        let [ours, theirs] = [0, 0];
        for (const port of [router, pooler, pooler, router])
          if (port === router) ours += (await rate(port, kind)) / 2;
          else theirs += (await rate(port, kind)) / 2;
        rows.push({
          what: `router, pgbench ${name}, ${clients} clients`,
          value: `${Math.round(ours)} tps`,
          against: `PgBouncer ${Math.round(theirs)} tps`,
          ratio: ours / theirs,
          goal: '≥ 1',
          met: ours >= theirs,
        });
      }
      return rows;
    });
  });
}
