import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { serverAccount } from '../../src/platform/local/account.ts';
import { testBinaries } from '../support/binaries.ts';
import { initServer, removeServer, serverPid, startServer, type Server } from '../../src/platform/local/server.ts';
import { readTables } from '../../src/postgres/catalogue.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { compareData } from '../../src/postgres/compare/index.ts';
import { connectionTo, temporaryFolder } from '../support/postgres.ts';
import { freePort } from '../../src/platform/local/ports.ts';

export interface VerifyRow {
  /** What the table looks like. */
  readonly data: string;
  /** Of the live table with TOAST, without indexes. */
  readonly megabytes: number;
  readonly dumpSeconds: readonly number[];
  readonly verifySeconds: readonly number[];
  readonly dumpMegabytesPerSecond: number;
  readonly verifyMegabytesPerSecond: number;
  /** Wall clock, median against median. The goal is 3. */
  readonly ratio: number;
  /** CPU seconds of the dump's backend, and of all backends of a comparison (both servers), medians. */
  readonly dumpCpuSeconds: number;
  readonly verifyCpuSeconds: number;
  /**
   * The dump's backend against one server's share of the comparison: what `ratio` comes to where each server has a core
   * to itself.
   */
  readonly cpuRatio: number;
  readonly method: string;
}

export interface BenchResult {
  readonly name: 'verify';
  readonly postgres: string;
  readonly rows: readonly VerifyRow[];
}

const shapes: readonly { readonly data: string; readonly table: string; readonly sql: string }[] = [
  {
    data: 'orders: bigint key, enum, numeric, two timestamps, text, uuid',
    table: 'orders',
    sql: `CREATE TYPE status AS ENUM ('new', 'paid', 'shipped', 'cancelled');
      CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, status status NOT NULL,
      total numeric(12,2) NOT NULL, created timestamptz NOT NULL, updated timestamptz, note text, ref uuid);
      INSERT INTO orders SELECT i, (i::bigint * 7919) % 50000, (enum_range(NULL::status))[1 + i % 4],
      (i % 100000) / 100.0, '2024-01-01'::timestamptz + i * '1.234567s'::interval,
        CASE WHEN i % 3 = 0 THEN NULL ELSE '2024-02-01'::timestamptz + i * '1.3s'::interval END,
        'note ' || md5(i::text), md5(i::text)::uuid FROM generate_series(1, $N) i`,
  },
  {
    data: 'accounts as of pgbench: int key, two ints, char(84)',
    table: 'accounts',
    sql: `CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
      INSERT INTO accounts SELECT i, i / 100000, i % 5000, '' FROM generate_series(1, $N) i`,
  },
  {
    data: 'events: random uuid key, text of 200, float',
    table: 'events',
    sql: `CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz NOT NULL, body text, weight float8);
      INSERT INTO events SELECT md5(i::text)::uuid, '2024-01-01'::timestamptz + i * '1s'::interval,
      repeat(md5(i::text), 6), i / 7.0 FROM generate_series(1, $N * 6 / 10) i`,
  },
  {
    data: 'documents: jsonb of 150, text array, text of 320',
    table: 'documents',
    sql: `CREATE TABLE documents (id int PRIMARY KEY, body text, tags text[], data jsonb);
      INSERT INTO documents SELECT i, repeat(md5(i::text), 10), ARRAY['a', 'b' || i % 10], jsonb_build_object('k', i,
      's', md5(i::text), 'l', jsonb_build_array(1, 2, 3), 'm', md5(i::text)) FROM generate_series(1, $N * 3 / 10) i`,
  },
];

/**
 * Megabytes of table data a second that a comparison checks, against pg_dump of the same tables to /dev/null, turn by
 * turn in one run on two servers with everything cached. Uses major 15, whose system package has pg_dump; about half a
 * minute with the default size.
 */
export async function benchVerify({
  rows: size = 1_000_000,
  turns = 3,
}: { rows?: number; turns?: number } = {}): Promise<BenchResult> {
  const binaries = await testBinaries(15);
  const folder = await temporaryFolder();
  const account = await serverAccount();
  const make = async (name: string): Promise<Server> => ({
    binaries,
    account,
    directory: path.join(folder, name),
    sockets: path.join(folder, `${name}-s`),
    port: await freePort(),
  });
  const servers = [await make('live'), await make('candidate')] as const;
  try {
    for (const server of servers) {
      await initServer(server, {
        wal_level: 'logical',
        fsync: 'off',
        shared_buffers: '1GB',
        max_wal_size: '8GB',
        autovacuum: 'off',
      });
      await startServer(server);
    }
    const measured: VerifyRow[] = [];
    for (const shape of shapes) await fill(servers, shape, size);
    for (const { data, table } of shapes) measured.push(await measure(servers, data, [table], 1));
    measured.push(
      await measure(
        servers,
        'all of these',
        shapes.map(({ table }) => table),
        turns,
      ),
    );
    return { name: 'verify', postgres: binaries.version, rows: measured };
  } finally {
    for (const server of servers) await removeServer(server);
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(servers: readonly Server[], { table, sql }: (typeof shapes)[number], size: number): Promise<void> {
  await Promise.all(
    servers.map((server) =>
      withClient(connectionTo(server), 'bench', async (client) => {
        await client.query(sql.replaceAll('$N', String(size)));
        await client.query(`VACUUM (ANALYZE, FREEZE) ${table}`);
        await client.query('CHECKPOINT');
      }),
    ),
  );
}

async function measure(
  servers: readonly [Server, Server],
  data: string,
  tables: readonly string[],
  turns: number,
): Promise<VerifyRow> {
  const [live, candidate] = [connectionTo(servers[0]), connectionTo(servers[1])];
  return withClient(live, 'bench', (left) =>
    withClient(candidate, 'bench', async (right) => {
      const pick = async (client: Client) => (await readTables(client)).filter(({ name }) => tables.includes(name));
      const there = await pick(right);
      const mappings = (await pick(left)).map((table, index) => ({
        live: table,
        candidate: there[index] as typeof table,
        columns: table.columns.map(({ name }) => name),
      }));
      const { bytes } = await one<{ bytes: number }>(
        left,
        'SELECT sum(pg_table_size(t::regclass))::float8 AS bytes FROM unnest($1::text[]) t',
        [tables],
      );
      const [dumpSeconds, verifySeconds, dumpCpu, verifyCpu]: [number[], number[], number[], number[]] = [
        [],
        [],
        [],
        [],
      ];
      let method = '';
      for (let turn = 0; turn < turns; turn++) {
        const begun = await settledCpu(servers, [left, right]);
        dumpSeconds.push(await seconds(async () => dump(servers[0], tables)));
        const dumped = await settledCpu(servers, [left, right]);
        verifySeconds.push(
          await seconds(async () => {
            const result = await compareData({ live, candidate, tables: mappings, passed: () => Promise.resolve() });
            if (!result.equal || result.mode !== 'complete') throw new Error(`${data}: not equal`);
            method = [...new Set(result.tables.map((table) => table.method))].join(', ');
          }),
        );
        dumpCpu.push(dumped - begun);
        verifyCpu.push((await settledCpu(servers, [left, right])) - dumped);
      }
      const megabytes = bytes / 1e6;
      const [dumped, verified] = [median(dumpSeconds), median(verifySeconds)];
      return {
        data,
        megabytes,
        dumpSeconds,
        verifySeconds,
        method,
        ratio: dumped / verified,
        dumpCpuSeconds: median(dumpCpu),
        verifyCpuSeconds: median(verifyCpu),
        cpuRatio: median(dumpCpu) / (median(verifyCpu) / 2),
        dumpMegabytesPerSecond: megabytes / dumped,
        verifyMegabytesPerSecond: megabytes / verified,
      };
    }),
  );
}

async function dump(server: Server, tables: readonly string[]): Promise<void> {
  const { port, sockets, binaries, account } = server;
  const connection = connectionTo(server);
  await execa(
    path.join(binaries.bin, 'pg_dump'),
    [
      '-h',
      sockets,
      '-p',
      String(port),
      '-U',
      connection.user,
      ...tables.flatMap((table) => ['-t', table]),
      '-f',
      '/dev/null',
      connection.database,
    ],
    { ...(account ?? {}), cwd: '/', stdin: 'ignore' },
  );
}

/** A backend's time is its postmaster's only once it has been reaped, a moment after it has left pg_stat_activity. */
async function settledCpu(servers: readonly Server[], own: readonly Client[]): Promise<number> {
  for (const client of own) {
    while (
      (
        await rows(
          client,
          "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
      ).length > 0
    )
      await sleep(10);
  }
  await sleep(100);
  return cpuSeconds(servers);
}

/** CPU time of the postmasters and of every backend that has ended, in ticks of a hundredth of a second. */
async function cpuSeconds(servers: readonly Server[]): Promise<number> {
  const ticks = await Promise.all(
    servers.map(async (server) => {
      const stat = await readFile(`/proc/${await serverPid(server)}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    }),
  );
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

if (import.meta.main) {
  for (const row of (await benchVerify()).rows)
    console.log(
      row.data,
      '|',
      row.method,
      row.megabytes.toFixed(0),
      'MB | dump',
      row.dumpMegabytesPerSecond.toFixed(0),
      'verify',
      row.verifyMegabytesPerSecond.toFixed(0),
      'MB/s, ratio',
      row.ratio.toFixed(2),
      '| CPU',
      row.dumpCpuSeconds.toFixed(2),
      row.verifyCpuSeconds.toFixed(2),
      'ratio',
      row.cpuRatio.toFixed(2),
    );
}
