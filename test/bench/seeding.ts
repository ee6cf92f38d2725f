import { rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { operatorRole } from '../../src/model/names.ts';
import { waitFor } from '../../src/model/wait.ts';
import { one, withClient, type Client } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { connectionTo, temporaryFolder, withServer } from '../support/postgres.ts';
import { seconds, timed, type BenchRow } from './measure.ts';

const tools = '/usr/lib/postgresql/15/bin';
const fast = { fsync: 'on', shared_buffers: '256MB', max_wal_size: '8GB', maintenance_work_mem: '256MB' };

/** From start to seeded at a size, against CREATE SUBSCRIPTION with its own copy and against pg_dump | pg_restore, of the same blue. */
export async function benchSeeding(gigabytes: number): Promise<BenchRow[]> {
  return withEnvironment({ settings: fast, fill: (client) => fill(client, gigabytes) }, async (environment) => {
    const ours = await timed(() => environment.verb('seed'));
    await environment.verb('abandon');
    const copy = await timed(() => bySubscription(environment));
    const dump = await timed(() => byDump(environment));
    const size = `${gigabytes} GB`;
    const row = (against: string, theirs: number): BenchRow => ({
      what: `seeding ${size}, full copy`, value: seconds(ours.seconds), against: `${against} ${seconds(theirs)}`, ratio: theirs / ours.seconds,
      ...(gigabytes >= 5 ? { goal: '≥ 10 times faster', met: theirs / ours.seconds >= 10 } : {}),
    });
    return [row('CREATE SUBSCRIPTION with copy', copy.seconds), row('pg_dump | pg_restore', dump.seconds)];
  });
}

/** The same on a filesystem that shares blocks, loop-mounted: root only. Nothing where that cannot be had. */
export async function benchReflink(gigabytes: number): Promise<BenchRow[]> {
  const mkfs = await execa('sh', ['-c', 'command -v mkfs.btrfs || command -v mkfs.xfs'], { reject: false });
  if (process.getuid?.() !== 0 || mkfs.exitCode !== 0) return [{ what: `seeding ${gigabytes} GB by reflink`, value: 'not measured: needs root and mkfs.btrfs or mkfs.xfs' }];
  const folder = await temporaryFolder();
  const image = path.join(folder, 'image');
  const mount = path.join(folder, 'mount');
  await execa('truncate', ['-s', `${Math.ceil(gigabytes * 3 + 2)}G`, image]);
  await execa(mkfs.stdout, ['-q', image]);
  await execa('mkdir', [mount]);
  await execa('mount', ['-o', 'loop,noatime', image, mount]);
  const before = process.env['TMPDIR'];
  try {
    await execa('chmod', ['711', mount]);
    process.env['TMPDIR'] = mount;
    return await withEnvironment({ settings: fast, fill: (client) => fill(client, gigabytes) }, async ({ verb, events }) => {
      const ours = await timed(() => verb('seed'));
      const snapshot = events.findLast((event) => event.type === 'step' && event.step === 'snapshot' && event.status === 'done');
      return [{ what: `seeding ${gigabytes} GB, reflink (${path.basename(mkfs.stdout)})`, value: seconds(ours.seconds), against: snapshot?.type === 'step' ? `of it the snapshot: ${snapshot.ms} ms, ${snapshot.detail ?? ''}` : undefined, goal: 'the same at every size' }];
    });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await execa('umount', ['-l', mount]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows of about 250 bytes with a primary key and one more index; a third of the bytes are indexes. */
async function fill(client: Client, gigabytes: number): Promise<void> {
  const count = Math.round((gigabytes * 1024 ** 3) / 330);
  await client.query(`CREATE TABLE filler (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, note text NOT NULL);
    INSERT INTO filler SELECT i, (i * 7919) % 100000, '2024-01-01'::timestamptz + i * interval '1 s', repeat(md5(i::text), 6) FROM generate_series(1, ${count}) i;
    CREATE INDEX filler_customer ON filler (customer); CHECKPOINT`);
}

/** What a user would do: schema by hand, then a subscription that copies. */
async function bySubscription({ platform, environment, on }: TestEnvironment): Promise<void> {
  const conninfo = await platform.servers.conninfo('blue');
  await withServer(async (server) => {
    await withClient(connectionTo(server), 'bench', (client) => client.query('CREATE DATABASE shop'));
    await on('blue', (client) => client.query('CREATE PUBLICATION bench FOR TABLE filler'));
    await withClient(connectionTo(server, 'shop'), 'bench', async (client) => {
      await client.query('CREATE TABLE filler (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, note text NOT NULL); CREATE INDEX filler_customer ON filler (customer)');
      await client.query(`CREATE SUBSCRIPTION bench CONNECTION '${conninfo} dbname=${environment.database} user=${operatorRole}' PUBLICATION bench`);
      await waitFor(async () => {
        const { left } = await one<{ left: number }>(client, "SELECT count(*)::int AS left FROM pg_subscription_rel WHERE srsubstate <> 'r'");
        return left === 0 ? true : undefined;
      }, { limit: 3_600_000, every: 50, slowest: 200, what: 'the copy', next: '' });
      await client.query('DROP SUBSCRIPTION bench');
    });
    await on('blue', (client) => client.query('DROP PUBLICATION bench'));
  }, fast);
}

async function byDump({ platform, environment }: TestEnvironment): Promise<void> {
  const blue = await platform.servers.connection('blue');
  await withServer(async (server) => {
    await withClient(connectionTo(server), 'bench', (client) => client.query('CREATE DATABASE shop'));
    const dump = execa(`${tools}/pg_dump`, ['-h', blue.host, '-p', String(blue.port), '-U', blue.user, '-Fc', '-Z0', '-t', 'filler', environment.database], { buffer: false });
    const restore = execa(`${tools}/pg_restore`, ['-h', server.sockets, '-p', String(server.port), '-U', operatorRole, '-d', 'shop', '--no-owner', '--no-privileges'], { stdin: dump.stdout });
    await Promise.all([dump, restore]);
  }, fast);
}

