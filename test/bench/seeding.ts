import { existsSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { operatorRole } from '../../src/model/names.ts';
import { waitFor } from '../../src/model/wait.ts';
import { one, type Client } from '../../src/postgres/client.ts';
import { literal } from '../../src/postgres/quote.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { connectionTo, temporaryFolder, testMajor, withServer } from '../support/postgres.ts';
import { seconds, timed, type BenchRow } from './measure.ts';

/**
 * npm's packages have no pg_dump, and one of another major refuses: where the system has a whole PostgreSQL, all of
 * this runs on that.
 */
const system = [testMajor, 18, 17, 16, 15].find((major) => existsSync(`/usr/lib/postgresql/${major}/bin/pg_dump`));
const major = system ?? testMajor;
const colours = { blue: { release: '1', postgres: major }, green: { release: '2', postgres: major } };
/** Enough log for the fill not to wait for checkpoints, and not so much that it outgrows the data. */
const fast = { fsync: 'on', shared_buffers: '256MB', max_wal_size: '3GB', maintenance_work_mem: '256MB' };
/** Bytes of disk for each byte of data, at most: two copies at a time, their indexes and their log, and a snapshot. */
const room = 4;

/**
 * From start to seeded at a size, against CREATE SUBSCRIPTION with its own copy and against pg_dump | pg_restore, of
 * the same blue.
 */
export async function benchSeeding(gigabytes: number): Promise<BenchRow[]> {
  const what = `seeding ${gigabytes} GB of PostgreSQL ${major}, full copy on ${await filesystem(tmpdir())}`;
  if (!(await fits(gigabytes))) return [{ what, value: `not measured: ${tmpdir()} has no room for it; set TMPDIR` }];
  return withEnvironment(
    { settings: fast, declaration: { colours }, fill: (client) => fill(client, gigabytes) },
    async (environment) => {
      const ours = await timed(() => environment.verb('seed'));
      const copied = snapshotOf(environment.events);
      await environment.verb('abandon');
      const row = (against: string, theirs: number): BenchRow => ({
        what,
        value: seconds(ours.seconds),
        against: `${against} ${seconds(theirs)}`,
        ratio: theirs / ours.seconds,
      });
      const rows = [row('CREATE SUBSCRIPTION with copy', (await timed(() => bySubscription(environment))).seconds)];
      if (system === undefined)
        rows.push({
          what,
          value: seconds(ours.seconds),
          against: 'pg_dump | pg_restore: not measured, the system has none',
        });
      else rows.push(row('pg_dump | pg_restore', (await timed(() => byDump(environment))).seconds));
      return [...rows, { what: '  of it the snapshot', value: copied }];
    },
  );
}

/** The same on a filesystem that shares blocks, loop-mounted: root only. Nothing where that cannot be had. */
export async function benchReflink(gigabytes: number, show: (row: BenchRow) => void): Promise<BenchRow[]> {
  const mkfs = await execa('sh', ['-c', 'command -v mkfs.btrfs || command -v mkfs.xfs'], { reject: false });
  const what = `seeding ${gigabytes} GB, reflink`;
  if (process.getuid?.() !== 0 || mkfs.exitCode !== 0)
    return [{ what, value: 'not measured: needs root and mkfs.btrfs or mkfs.xfs' }];
  if (!(await fits(gigabytes))) return [{ what, value: `not measured: ${tmpdir()} has no room for it; set TMPDIR` }];
  return onImage(mkfs.stdout, gigabytes * room + 3, async () =>
    withEnvironment(
      { settings: fast, declaration: { colours }, fill: (client) => fill(client, gigabytes) },
      async (environment) => {
        const ours = await timed(() => environment.verb('seed'));
        show({
          what: `${what} on ${await filesystem(tmpdir())} in a file`,
          value: seconds(ours.seconds),
          against: `of it the snapshot: ${snapshotOf(environment.events)}`,
          goal: 'the same at every size',
        });
        if (gigabytes < 5) return [];
        await environment.verb('abandon');
        const theirs = await timed(() => bySubscription(environment));
        const ratio = theirs.seconds / ours.seconds;
        return [
          {
            what: `${what}, on the same filesystem`,
            value: seconds(ours.seconds),
            against: `CREATE SUBSCRIPTION with copy ${seconds(theirs.seconds)}`,
            ratio,
            goal: '≥ 10 times faster',
            met: ratio >= 10,
          },
        ];
      },
    ),
  );
}

/** Runs `use` with TMPDIR on a filesystem of its own; nothing of it is left, whatever happens. */
async function onImage<T>(mkfs: string, gigabytes: number, use: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR'];
  const folder = await temporaryFolder();
  const [image, mount] = [path.join(folder, 'image'), path.join(folder, 'm')];
  try {
    await execa('truncate', ['-s', `${Math.ceil(gigabytes)}G`, image]);
    await execa(mkfs, ['-q', image]);
    await execa('mkdir', ['-m', '711', mount]);
    await execa('mount', ['-o', 'loop,noatime', image, mount]);
    try {
      await execa('chmod', ['711', mount]);
      process.env['TMPDIR'] = mount;
      return await use();
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      // Somebody may still look at it for a moment: then it goes when he has looked.
      if ((await execa('umount', [mount], { reject: false })).exitCode !== 0)
        await execa('umount', ['-l', mount], { reject: false });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fits(gigabytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize > (gigabytes * room + 3) * 1024 ** 3;
}

/** What the figures were measured on: `ext4`, `tmpfs` (memory). */
async function filesystem(folder: string): Promise<string> {
  return (await execa('stat', ['-f', '-c', '%T', folder])).stdout;
}

function snapshotOf(events: TestEnvironment['events']): string {
  const found = events.findLast(
    (event) => event.type === 'step' && event.step === 'snapshot' && event.status === 'done',
  );
  return found?.type === 'step' ? `${seconds((found.ms ?? 0) / 1000)}, ${found.detail ?? ''}` : 'none';
}

/** Rows of about 250 bytes with a primary key and one more index; a third of the bytes are indexes. */
async function fill(client: Client, gigabytes: number): Promise<void> {
  const count = Math.round((gigabytes * 1024 ** 3) / 330);
  await client.query(`CREATE TABLE filler (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, note text NOT NULL);
    INSERT INTO filler SELECT i, (i::bigint * 7919) % 100000, '2024-01-01'::timestamptz + i * interval '1 s',
    repeat(md5(i::text), 6) FROM generate_series(1, ${count}) i;
    CREATE INDEX filler_customer ON filler (customer); CHECKPOINT`);
}

/** What a user would do: schema by hand, then a subscription that copies. */
async function bySubscription({ platform, environment, on }: TestEnvironment): Promise<void> {
  const conninfo = await platform.servers.conninfo('blue');
  await withServer(
    async (server) => {
      await withClient(connectionTo(server), 'bench', (client) => client.query('CREATE DATABASE shop'));
      await on('blue', (client) => client.query('CREATE PUBLICATION bench FOR TABLE filler'));
      await withClient(connectionTo(server, 'shop'), 'bench', async (client) => {
        await client.query(
          `CREATE TABLE filler (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL,
            note text NOT NULL); CREATE INDEX filler_customer ON filler (customer)`,
        );
        await client.query(
          `CREATE SUBSCRIPTION bench CONNECTION ${literal(`${conninfo} dbname=${environment.database} user=${operatorRole}`)} PUBLICATION bench`,
        );
        await waitFor(
          async () => {
            const { left } = await one<{ left: number }>(
              client,
              "SELECT count(*)::int AS left FROM pg_subscription_rel WHERE srsubstate <> 'r'",
            );
            return left === 0 ? true : undefined;
          },
          { limit: 3_600_000, every: 50, slowest: 200, what: 'the copy', next: '' },
        );
        await client.query('DROP SUBSCRIPTION bench');
      });
      await on('blue', (client) => client.query('DROP PUBLICATION bench'));
    },
    fast,
    major,
  );
}

async function byDump({ platform, environment }: TestEnvironment): Promise<void> {
  const blue = await platform.servers.connection('blue');
  await withServer(
    async (server) => {
      await withClient(connectionTo(server), 'bench', (client) => client.query('CREATE DATABASE shop'));
      const tools = `/usr/lib/postgresql/${major}/bin`;
      const from = `-h ${blue.host} -p ${blue.port} -U ${blue.user} -Fc -Z0 -t filler ${environment.database}`;
      const to = `-h ${server.sockets} -p ${server.port} -U ${operatorRole} -d shop --no-owner --no-privileges`;
      await execa('bash', ['-o', 'pipefail', '-c', `${tools}/pg_dump ${from} | ${tools}/pg_restore ${to}`]);
    },
    fast,
    major,
  );
}
