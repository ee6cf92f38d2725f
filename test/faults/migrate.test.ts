import { chown, cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serverAccount } from '../../src/platform/local/account.ts';
import { dataDirectory } from '../../src/platform/local/server.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { mountable, run } from '../support/mount.ts';
import { good } from '../support/verdict.ts';
import { untilStopped } from './operators.ts';
import { nothing, openBench, served, withOpenTransaction, type OpenBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

describe('migrate', () => {
  let bench: OpenBench;
  let folder: string;
  const write = async (files: Record<string, string>): Promise<void> => {
    for (const name of await readdir(folder)) await rm(path.join(folder, name));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  };
  const column = (colour: 'blue' | 'green', name: string): Promise<unknown[]> =>
    bench.on(colour, (client) =>
      rows(client, "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'load.row'::regclass AND attname = $1", [
        name,
      ]),
    );

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'vg-migrations-'));
    bench = await openBench({
      migrations: folder,
      limits: { migrationLock: '200ms' },
      fill: async (client) =>
        void (await client.query(
          `CREATE SCHEMA load; CREATE TABLE load.row (id int PRIMARY KEY, payload text NOT NULL, day date);
            INSERT INTO load.row SELECT i, 'x' FROM generate_series(1, 1000) i`,
        )),
    });
  }, timeout);
  afterAll(async () => {
    await bench.close();
    await rm(folder, { recursive: true });
  }, timeout);
  afterEach(async () => {
    if ((await bench.journal()).state !== 'single') await bench.verb('abandon');
    await bench.settled({ state: 'single', live: 'blue' });
    expect(await bench.leftovers()).toEqual(nothing);
    expect(await column('blue', 'note')).toEqual([]);
  }, timeout);

  test(
    'fault 18: a migration fails in the middle, and another is interrupted: blue is untouched, the candidate resumable, and it is said so',
    { timeout },
    async () => {
      await write({
        '1_note.sql': 'ALTER TABLE load.row ADD COLUMN note text;',
        '2_wrong.sql':
          "UPDATE load.row SET note = 'n' WHERE id = 1;\nSELECT 1 / count(*) FROM load.row WHERE payload = 'missing';",
        '3_more.sql': 'ALTER TABLE load.row ADD COLUMN more text;',
      });
      await bench.verb('seed');
      const { verdict } = await bench.exercise(async (workload) => {
        const failed = await failure(bench.verb('migrate'));
        expect(failed).toMatchObject({ code: 'failed', id: 'migration-failed' });
        expect(failed.seen).toContain('2_wrong.sql:2: division by zero');
        expect(failed.next).toMatch(/nothing is applied.*migrate again.*live colour is untouched/);
        await bench.settled({ state: 'seeded', live: 'blue' });
        expect(await column('green', 'note')).toEqual([]);
        await write({
          '1_note.sql': 'ALTER TABLE load.row ADD COLUMN note text;',
          '2_right.sql': "UPDATE load.row SET note = 'n' WHERE id = 1;",
          '3_more.sql': 'ALTER TABLE load.row ADD COLUMN more text;',
        });
        const controller = new AbortController();
        const interrupted = bench.verb('migrate', { signal: controller.signal });
        await until('the first pending file under way', async () => {
          if (
            !bench.events.some(
              (event) => event.type === 'progress' && event.step === 'apply' && event.note === '1_note.sql',
            )
          )
            return false;
          controller.abort();
          return true;
        });
        await failure(interrupted);
        await bench.settled({ state: 'seeded', live: 'blue' });
        expect(await column('green', 'more')).toEqual([]);
        await bench.verb('migrate');
        await bench.settled({ state: 'migrated', live: 'blue' });
        expect(await column('green', 'more')).toHaveLength(1);
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
    },
  );

  test(
    'fault 19: a migration waits behind a lock: given up after lock_timeout and tried again; while it waits replication goes on',
    { timeout },
    async () => {
      await write({ '1_note.sql': 'ALTER TABLE load.row ADD COLUMN note text;' });
      await bench.verb('seed');
      const operator = await bench.operators.start('migrate', { stopAt: { step: 'apply', status: 'started' } });
      await untilStopped(operator, 60_000);
      await withOpenTransaction(
        { ...(await bench.platform.servers.connection('green')), database: 'shop' },
        'SELECT FROM load.row LIMIT 1',
        async (client) => {
          process.kill(operator.pid, 'SIGCONT');
          await until('a second attempt', async () =>
            operator.said.some(
              (said) =>
                said.type === 'event' &&
                said.event.type === 'progress' &&
                /attempt 2 of 10/.test(said.event.note ?? ''),
            ),
          );
          // Between two attempts apply has the table: what blue writes arrives although the reader is still there.
          await bench.on('blue', (live) => live.query("INSERT INTO load.row VALUES (5000, 'meanwhile')"));
          await until('the row', async () =>
            bench.on(
              'green',
              async (green) => (await rows(green, 'SELECT FROM load.row WHERE id = 5000')).length === 1,
            ),
          );
          await client.query('COMMIT');
        },
      );
      expect(await operator.ended).toEqual({ how: 'done' });
      await bench.settled({ state: 'migrated' });
      expect(await column('green', 'note')).toHaveLength(1);
    },
  );

  test(
    'fault 19: a lock that is never released: migrate gives up within its limits and names the statement',
    { timeout },
    async () => {
      await write({ '1_note.sql': 'ALTER TABLE load.row ADD COLUMN note text;' });
      await bench.verb('seed');
      const operator = await bench.operators.start('migrate', { stopAt: { step: 'apply', status: 'started' } });
      await untilStopped(operator, 60_000);
      await withOpenTransaction(
        { ...(await bench.platform.servers.connection('green')), database: 'shop' },
        'SELECT FROM load.row LIMIT 1',
        async () => {
          process.kill(operator.pid, 'SIGCONT');
          expect(await operator.ended).toMatchObject({
            how: 'failed',
            error: { id: 'migration-lock', seen: expect.stringContaining('1_note.sql:1') as string },
          });
        },
      );
      await bench.settled({ state: 'seeded' });
      await bench.verb('migrate');
      await bench.settled({ state: 'migrated' });
    },
  );

  test(
    'fault 20: a rename and a type change that apply cannot follow are refused before anything starts',
    { timeout },
    async () => {
      await bench.verb('seed').catch(() => undefined);
      for (const [text, id] of [
        ['ALTER TABLE load.row RENAME COLUMN payload TO content;', 'column-renamed'],
        ['ALTER TABLE load.row RENAME TO line;', 'table-renamed'],
        ['ALTER TABLE load.row ALTER COLUMN day TYPE int USING 0;', 'type-changed'],
      ] as const) {
        await write({ '1_change.sql': text });
        if ((await bench.journal()).state === 'single') await bench.verb('seed');
        const schema = await bench.on('green', (client) =>
          one(
            client,
            "SELECT array_agg(attname::text ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'load.row'::regclass AND attnum > 0",
          ),
        );
        expect(await failure(bench.verb('migrate'))).toMatchObject({
          code: 'refused',
          id: 'gate-refused',
          facts: { findings: expect.arrayContaining([expect.objectContaining({ id })]) as unknown },
        });
        await bench.settled({ state: 'seeded' });
        expect(
          await bench.on('green', (client) =>
            one(
              client,
              "SELECT array_agg(attname::text ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'load.row'::regclass AND attnum > 0",
            ),
          ),
        ).toEqual(schema);
      }
    },
  );

  test.runIf(mountable)(
    "fault 21: green's disk is full: green fails alone, blue serves on, and the candidate can be resumed or left",
    { timeout },
    async () => {
      await write({
        '1_fill.sql': `CREATE TABLE load.heap (id int PRIMARY KEY, payload text);\nINSERT INTO load.heap
            SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 150000) i;`,
      });
      await bench.verb('seed');
      const { oid } = await bench.on('green', (client) =>
        one<{ oid: number }>(client, 'SELECT oid::int FROM pg_database WHERE datname = current_database()'),
      );
      const { generation } = await bench.journal();
      const tables = path.join(
        dataDirectory({ directory: bench.platform.places.server('green', generation) }),
        'base',
        String(oid),
      );
      await bench.platform.servers.stop('green', 'fast');
      await onSmallDisk(tables, async () => {
        await bench.platform.servers.start('green');
        const { verdict } = await bench.exercise(async (workload) => {
          const failed = await failure(bench.verb('migrate'));
          expect(String(failed.seen ?? failed.message)).toMatch(/No space left on device/);
          await bench.settled({ state: 'seeded', live: 'blue' });
          await served(workload);
          await bench.platform.servers.stop('green', 'immediate');
        });
        expect(verdict).toMatchObject(good);
      });
      await bench.verb('abandon');
    },
  );
});

/** Puts a folder on a filesystem of its own that has 24 MiB left, for as long as `use` runs. */
async function onSmallDisk(folder: string, use: () => Promise<void>): Promise<void> {
  const aside = `${folder}.aside`;
  await cp(folder, aside, { recursive: true });
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).blocks * 512),
  );
  const account = await serverAccount();
  await run('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${Math.ceil(sizes.reduce((sum, size) => sum + size + 4096, 0) / 1024 ** 2) + 24}m,mode=0700,uid=${account?.uid ?? 0},gid=${account?.gid ?? 0}`,
    'tmpfs',
    folder,
  ]);
  try {
    for (const name of await readdir(aside)) {
      await cp(path.join(aside, name), path.join(folder, name));
      if (account) await chown(path.join(folder, name), account.uid, account.gid);
    }
    await rm(aside, { recursive: true });
    await use();
  } finally {
    await run('umount', ['-l', folder]);
    await mkdir(folder, { recursive: true });
  }
}
