import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { routerPid } from '../../src/router/launch.ts';
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

/** Who stands between pgbench and the server. */
interface Between {
  readonly port: number;
  readonly pid: number;
}

interface Rate {
  readonly tps: number;
  /** Microseconds of processor that the process between took for each transaction: it holds on a busy machine too. */
  readonly cpu: number;
}

/**
 * Transactions a second of one server through the router, through a PgBouncer of pool_mode transaction, and through a
 * Node process that only passes bytes on, which is the most that any router in Node can do.
 */
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
    const run = async ({ port, pid }: Between, kind: readonly string[]): Promise<Rate> => {
      const load = ['-n', '-c', String(clients), '-j', '2', '-T', String(seconds), ...kind];
      const at = ['-h', '127.0.0.1', '-p', String(port), '-U', 'shop_app', environment.database];
      const before = await processorTime(pid);
      const { stdout } = await execa(pgbench, [...load, ...at], { env: { PGPASSWORD: password } });
      const done = Number(/actually processed: (\d+)/.exec(stdout)?.[1]);
      return { tps: done / seconds, cpu: ((await processorTime(pid)) - before) / done };
    };
    const router = {
      port: Number((await platform.traffic.status()).address.split(':')[1]),
      pid: (await routerPid(platform.places.router)) as number,
    };
    return withPgBouncer(server, { shop_app: password }, (port, config) =>
      withPassOn(server.port, async (passOn) => {
        const pooler = { port, pid: Number(await readFile(path.join(path.dirname(config), 'pid'), 'utf8')) };
        const rows: BenchRow[] = [];
        for (const [name, kind] of Object.entries(kinds)) {
          const rates = new Map<Between, Rate[]>();
          for (const each of [router, pooler, passOn, passOn, pooler, router])
            rates.set(each, [...(rates.get(each) ?? []), await run(each, kind)]);
          const [ours, theirs, least] = [router, pooler, passOn].map((each) => mean(rates.get(each) ?? [])) as [
            Rate,
            Rate,
            Rate,
          ];
          rows.push({
            what: `router, pgbench ${name}, ${clients} clients`,
            value: said(ours),
            against: `PgBouncer ${said(theirs)}; a Node process that passes bytes on ${said(least)}`,
            ratio: ours.tps / theirs.tps,
            goal: '≥ 1',
            met: ours.tps >= theirs.tps,
          });
        }
        return rows;
      }),
    );
  });
}

async function withPassOn<T>(port: number, use: (between: Between) => Promise<T>): Promise<T> {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'pass-on.ts'), [String(port)]);
  try {
    const [own] = (await once(child, 'message')) as [number];
    return await use({ port: own, pid: child.pid as number });
  } finally {
    child.kill();
  }
}

/** Microseconds that a process has used, its own and the kernel's for it: proc_pid_stat(5), fields 14 and 15. */
async function processorTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  // The kernel counts hundredths of a second for programs, whatever its own clock.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function mean(rates: readonly Rate[]): Rate {
  const of = (key: keyof Rate) => rates.reduce((sum, rate) => sum + rate[key], 0) / rates.length;
  return { tps: of('tps'), cpu: of('cpu') };
}

function said({ tps, cpu }: Rate): string {
  return `${Math.round(tps)} tps, ${Math.round(cpu)} µs of processor for each`;
}
