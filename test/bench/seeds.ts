import { rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { operatorRole } from '../../src/model/names.ts';
import type { Server } from '../../src/platform/local/server.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { findPgDump } from '../../src/postgres/logical-seed/program.ts';
import { seedFromSnapshot } from '../../src/postgres/logical-seed/snapshot.ts';
import { publish, unpublish } from '../../src/postgres/stream/publication.ts';
import { connectionTo, temporaryFolder, withServer } from '../support/postgres.ts';
import { seconds, timed, type BenchRow } from './measure.ts';

/** Of Debian, whose pg_dump, pg_restore and pgcopydb are of this one. */
const major = 15;
const tools = `/usr/lib/postgresql/${major}/bin`;
const jobs = 2;
const fast = { fsync: 'on', shared_buffers: '256MB', max_wal_size: '3GB', maintenance_work_mem: '256MB' };
const stream = 'verdigris_bench_1_blue_to_green';

interface Copy {
  readonly seconds: number;
  /** Seconds for which the live server could not vacuum. */
  readonly horizon: number;
  /** Transactions of one client of the live server meanwhile, each second. */
  readonly rate: number;
}

/**
 * A database row by row to another server, by the seed `snapshot`, by pg_dump and pg_restore in parallel, and by
 * pgcopydb where it is installed; each from the same live server, which one client goes on writing to.
 */
export async function benchSeeds(gigabytes: number): Promise<BenchRow[]> {
  const what = `rows of ${gigabytes} GB of PostgreSQL ${major}, ${jobs} at a time`;
  return withServer(
    async (live) => {
      await withClient(connectionTo(live), 'bench', (client) => client.query('CREATE DATABASE shop'));
      await withClient(connectionTo(live, 'shop'), 'bench', (client) => fill(client, gigabytes));
      const ours = await measured(live, bySnapshot);
      const others: [string, Copy][] = [['pg_dump | pg_restore', await measured(live, byDump)]];
      if ((await execa('pgcopydb', ['--version'], { reject: false })).exitCode === 0)
        others.push(['pgcopydb', await measured(live, byPgcopydb)]);
      return others.map(([name, theirs]) => ({
        what,
        value: described(ours),
        against: `${name} ${described(theirs)}`,
        ratio: theirs.seconds / ours.seconds,
        goal: '≥ 1',
        met: theirs.seconds >= ours.seconds,
      }));
    },
    fast,
    major,
  );
}

function described({ seconds: taken, horizon, rate }: Copy): string {
  return `${seconds(taken)}, horizon ${seconds(horizon)}, live ${Math.round(rate)} tps`;
}

/** Several tables of one size, each with a key and one more index. */
async function fill(client: Client, gigabytes: number): Promise<void> {
  const count = Math.round((gigabytes * 1024 ** 3) / 330 / 4);
  await client.query('CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO counter VALUES (1, 0)');
  for (const place of [1, 2, 3, 4])
    await client.query(`CREATE TABLE filler_${place} (id bigint PRIMARY KEY, customer int NOT NULL, note text NOT NULL);
      INSERT INTO filler_${place} SELECT i, (i::bigint * 7919) % 100000, repeat(md5(i::text), 6) FROM generate_series(1, ${count}) i;
      CREATE INDEX ON filler_${place} (customer)`);
  await client.query('CHECKPOINT');
}

type Way = (live: Server, candidate: Server) => Promise<{ readonly horizon?: number }>;

async function measured(live: Server, way: Way): Promise<Copy> {
  return withServer(
    async (candidate) => {
      await withClient(connectionTo(candidate), 'bench', (client) => client.query('CREATE DATABASE shop'));
      return withClient(connectionTo(live, 'shop'), 'load', async (client) => {
        let [on, done] = [true, 0];
        const load = (async () => {
          for (; on; done++) await client.query('UPDATE counter SET n = n + 1');
        })();
        const taken = await timed(() => way(live, candidate)).finally(() => (on = false));
        await load;
        return {
          seconds: taken.seconds,
          horizon: taken.result.horizon ?? taken.seconds,
          rate: done / taken.seconds,
        };
      });
    },
    fast,
    major,
  );
}

const bySnapshot: Way = async (live, candidate) => {
  const [from, to] = [connectionTo(live, 'shop'), connectionTo(candidate, 'shop')];
  await withClient(from, 'bench', async (client) => {
    await ensureControlSchema(client);
    await publish(client, stream, []);
  });
  const { horizonMs } = await seedFromSnapshot({
    ...{ live: from, candidate: to, stream, pgDump: await findPgDump(major, major), slotLimit: 60_000 },
    ...{ workers: jobs, busy: 50, signal: new AbortController().signal, onProgress: () => undefined },
  });
  await withClient(from, 'bench', (client) => unpublish(client, stream));
  return { horizon: horizonMs / 1000 };
};

const byDump: Way = async (live, candidate) => {
  const folder = await temporaryFolder();
  const files = path.join(folder, 'dump');
  try {
    const dump = ['-Fd', '-Z0', '-j', String(jobs), '-f', files, '-N', 'verdigris', ...reaching(live)];
    const horizon = await timed(() => execa(`${tools}/pg_dump`, [...dump, 'shop']));
    await execa(`${tools}/pg_restore`, ['-j', String(jobs), '-d', 'shop', ...reaching(candidate), files]);
    return { horizon: horizon.seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const byPgcopydb: Way = async (live, candidate) => {
  const folder = await temporaryFolder();
  const uri = ({ sockets, port }: Server) => `port=${port} host=${sockets} user=${operatorRole} dbname=shop`;
  const parallel = ['--table-jobs', String(jobs), '--index-jobs', String(jobs), '--no-owner', '--no-acl'];
  const options = ['clone', '--dir', path.join(folder, 'work'), ...parallel];
  try {
    await execa('pgcopydb', [...options, '--source', uri(live), '--target', uri(candidate)]);
    return {};
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

function reaching({ sockets, port }: Server): string[] {
  return ['-h', sockets, '-p', String(port), '-U', operatorRole];
}
