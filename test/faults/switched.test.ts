import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { turnLock } from '../../src/postgres/hba-lock.ts';
import { good } from '../support/verdict.ts';
import { killServer, nothing, served, withBench, type FaultBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;
const fill = `CREATE SCHEMA load; CREATE TABLE load.row (id int PRIMARY KEY, payload text NOT NULL);
    INSERT INTO load.row SELECT i, $$before$$ FROM generate_series(1, 100) i`;

async function switched(bench: FaultBench): Promise<void> {
  for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
}

/** 12 inserted, 5 updated, 3 deleted, as an application does it, through the environment's address. */
async function change(bench: FaultBench): Promise<void> {
  await withClient(await bench.as('shop_app'), 'test', (client) =>
    client.query(
      `INSERT INTO load.row SELECT i, 'lost' FROM generate_series(201, 212) i;
        UPDATE load.row SET payload = 'changed' WHERE id BETWEEN 1 AND 5; DELETE FROM load.row WHERE id IN (10, 11, 12)`,
    ),
  );
}

interface Line {
  readonly table: string;
  readonly kind: 'inserted' | 'updated' | 'deleted';
  readonly row?: { readonly id: string };
  readonly before?: { readonly id: string };
}

async function exportedRows(bench: FaultBench, count: number): Promise<void> {
  const [entry] = await bench.platform.history.list();
  expect(entry).toMatchObject({ outcome: 'rolled back' });
  const { detail = '' } = bench.events.findLast(
    (event) => event.type === 'step' && event.step === 'export' && event.status === 'done',
  ) as { detail?: string };
  expect(detail).toMatch(new RegExp(`^${count} rows in `));
  const lines = (await readFile(detail.replace(/^\d+ rows in /, '').replace(/;.*/, ''), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const ids = (kind: Line['kind']): number[] =>
    lines
      .filter((line) => line.table === 'load.row' && line.kind === kind)
      .map(({ row, before }) => Number((row ?? before)?.id))
      .sort((a, b) => a - b);
  expect({ inserted: ids('inserted'), updated: ids('updated'), deleted: ids('deleted') }).toEqual({
    inserted: [201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212],
    updated: [1, 2, 3, 4, 5],
    deleted: [10, 11, 12],
  });
  expect(lines).toHaveLength(count);
}

test(
  'fault 30: the reverse slot is lost: status says that lossless rollback is gone; a lossy one needs consent and exports exactly the lost rows',
  { timeout },
  async () => {
    await withBench({ fill: async (client) => void (await client.query(fill)) }, async (bench) => {
      await switched(bench);
      await until(
        'a lossless rollback',
        async () => (await readStatus(bench.environment, bench.platform)).losslessRollback === true,
      );
      const name = (await bench.journal()).stream?.name ?? '';
      await until('the slot dropped', async () =>
        bench.on('green', async (client) => {
          await client.query(
            'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL',
            [name],
          );
          return client.query('SELECT pg_drop_replication_slot($1)', [name]).then(
            () => true,
            () => false,
          );
        }),
      );
      await change(bench);
      const only =
        'CREATE TABLE load.only_there (id int, v text); INSERT INTO load.only_there VALUES (1, NULL), (1, NULL); ' +
        'SELECT lo_create(4711); CREATE FUNCTION load.hotfix() RETURNS int LANGUAGE sql RETURN 1';
      await bench.on('green', (client) => client.query(only));
      expect(await readStatus(bench.environment, bench.platform)).toMatchObject({
        losslessRollback: false,
        replication: { slot: 'missing' },
      });
      const refused = await failure(bench.verb('rollback'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: { findings: expect.arrayContaining([expect.objectContaining({ id: 'slot-missing' })]) as unknown },
      });
      expect(refused.next).toMatch(/lossy/);
      const consent = await failure(bench.verb('rollback', { lossy: true }));
      expect(consent).toMatchObject({
        code: 'loss',
        id: 'consent-missing',
        facts: {
          losses: [{ table: 'load.row', inserted: 12, updated: 5, deleted: 3 }],
          leftBehind: [{ table: 'load.only_there', inserted: 2 }],
          besides: expect.arrayContaining([
            expect.stringContaining('function load.hotfix()') as unknown,
            'large object 4711',
          ]) as unknown,
        },
      });
      expect(consent.seen).toContain('would lose 20 rows');
      await bench.settled({ state: 'switched', live: 'green' });
      await bench.verb('rollback', { lossy: true, acceptLoss: true });
      await bench.settled({ state: 'single', live: 'blue', liveRelease: '1' });
      expect(await bench.leftovers()).toEqual(nothing);
      await exportedRows(bench, 20);
      expect(
        await bench.on('blue', (client) =>
          rows(
            client,
            "SELECT count(*)::int AS rows, count(*) FILTER (WHERE payload = 'before')::int AS before FROM load.row",
          ),
        ),
      ).toEqual([{ rows: 100, before: 100 }]);
    });
  },
);

test(
  "fault 30: the retained colour's disk is destroyed: a lossy rollback goes back to the snapshot of just before the switchover, and exports what that lacks",
  { timeout },
  async () => {
    await withBench({ fill: async (client) => void (await client.query(fill)) }, async (bench) => {
      await switched(bench);
      await change(bench);
      await killServer(bench, 'blue');
      await rm(bench.platform.places.server('blue', 1), { recursive: true });
      expect(await failure(bench.verb('rollback'))).toMatchObject({
        code: 'refused',
        facts: { findings: [{ id: 'server-down', title: 'blue is gone' }] },
      });
      expect(await failure(bench.verb('rollback', { lossy: true }))).toMatchObject({
        code: 'loss',
        id: 'consent-missing',
      });
      await bench.verb('rollback', { lossy: true, acceptLoss: true });
      await bench.settled({ state: 'single', live: 'blue', liveRelease: '1' });
      expect(await bench.leftovers()).toEqual(nothing);
      await exportedRows(bench, 20);
      const { verdict } = await bench.exercise(async (workload) => served(workload));
      expect(verdict).toMatchObject({
        lost: { count: 0 },
        doubled: { count: 0 },
        errors: { statements: 0, connects: 0 },
      });
    });
  },
);

test(
  'fault 30: a lossy rollback while replication still works: what arrives late cannot undo what clients write after it',
  { timeout },
  async () => {
    await withBench({ fill: async (client) => void (await client.query(fill)) }, async (bench) => {
      await switched(bench);
      const name = (await bench.journal()).stream?.name ?? '';
      // Apply on blue is held up by a lock; the backlog is on its way, and comes as soon as the lock is gone.
      const backlog = await bench.on('blue', async (holder) => {
        await holder.query('BEGIN; LOCK TABLE load.row IN SHARE MODE');
        await change(bench);
        await until('apply waits', async () =>
          bench.on(
            'blue',
            async (client) =>
              (
                await one<{ waits: boolean }>(
                  client,
                  "SELECT count(*) > 0 AS waits FROM pg_locks WHERE NOT granted AND relation = 'load.row'::regclass",
                )
              ).waits,
          ),
        );
        const work = bench.verb('rollback', { lossy: true, acceptLoss: true }).then(
          () => undefined,
          (error: unknown) => error,
        );
        await until('the detaching', async () =>
          bench.events.some((event) => event.type === 'step' && event.step === 'detach' && event.status !== 'started'),
        );
        await holder.query('COMMIT');
        return work;
      });
      expect(backlog).toBeUndefined();
      await bench.settled({ state: 'single', live: 'blue' });
      await exportedRows(bench, 20);
      expect(
        await bench.on('blue', (client) =>
          rows(
            client,
            "SELECT count(*)::int AS rows, count(*) FILTER (WHERE payload = 'before')::int AS before FROM load.row",
          ),
        ),
      ).toEqual([{ rows: 100, before: 100 }]);
      expect(name).not.toBe('');
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'faults 31, 34: a rollback after 50,000 writes on green loses none; retire is refused while somebody reads blue, who is named',
  { timeout },
  async () => {
    await withBench({ fill: async (client) => void (await client.query(fill)) }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await switched(bench);
        await withClient(await bench.as('shop_app'), 'test', async (client) => {
          for (let batch = 0; batch < 50; batch++)
            await client.query(
              "INSERT INTO load.row SELECT i, 'green' FROM generate_series($1::int, $1::int + 999) i",
              [1_000 + batch * 1_000],
            );
          await client.query("UPDATE load.row SET payload = 'green' WHERE id <= 100");
        });
        const digest =
          'SELECT count(*)::int AS rows, md5(string_agg(r::text, chr(10) ORDER BY id)) AS digest FROM load.row r';
        const green = await bench.on('green', (client) => one(client, digest));
        await bench.verb('rollback');
        expect(await bench.on('blue', (client) => one(client, digest))).toEqual(green);
        expect(green).toMatchObject({ rows: 50_100 });
        await served(workload);

        await bench.verb('verify');
        await bench.verb('switch');
        // Somebody lets a reader in on purpose, past both locks of the fence.
        const reader = await bench.as('shop_reader', 'blue');
        const knock = () => withClient(reader, 'test', () => Promise.resolve('let in')).catch(String);
        await bench.on('blue', (client) => client.query('ALTER ROLE shop_reader LOGIN'));
        expect(await knock()).toContain('pg_hba.conf rejects connection');
        await bench.on('blue', (client) => turnLock(client, 'open'));
        await until('the reader let in', async () => (await knock()) === 'let in');
        await withClient(reader, 'nightly report', async (client) => {
          const { pid } = await one<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
          const refused = await failure(bench.verb('retire'));
          expect(refused).toMatchObject({
            code: 'refused',
            facts: {
              findings: [
                {
                  id: 'retained-in-use',
                  objects: [expect.stringContaining(`shop_reader (pid ${pid}, verdigris/nightly report`) as string],
                },
              ],
            },
          });
          await bench.settled({ state: 'switched', live: 'green' });
          expect((await one<{ rows: number }>(client, 'SELECT count(*)::int AS rows FROM load.row')).rows).toBe(50_100);
        });
        await until('the reader gone', async () =>
          bench.on(
            'blue',
            async (client) =>
              (await rows(client, "SELECT FROM pg_stat_activity WHERE usename = 'shop_reader'")).length === 0,
          ),
        );
        await bench.harvest();
        await bench.verb('retire');
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
