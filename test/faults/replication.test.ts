import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataDirectory } from '../../src/platform/local/server.ts';
import { crossBarrier } from '../../src/postgres/barrier.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { readSubscription } from '../../src/postgres/stream/subscription.ts';
import { good } from '../support/verdict.ts';
import { nothing, openBench, served, type OpenBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;
const mebibyte = 1024 ** 2;
const cap = 64 * mebibyte;
const fill = `CREATE SCHEMA load;
  CREATE TABLE load.row (id bigint PRIMARY KEY, payload text NOT NULL);
  INSERT INTO load.row SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i`;

describe('replication', () => {
  let bench: OpenBench;
  beforeAll(async () => {
    bench = await openBench({
      fill: async (client) => void (await client.query(fill)),
      limits: { retainedWal: '64MiB' },
      settings: { max_wal_size: '64MB', min_wal_size: '32MB' },
    });
  }, timeout);
  afterAll(async () => bench.close(), timeout);

  const verified = async (): Promise<void> => {
    for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
  };
  const abandoned = async (): Promise<void> => {
    await bench.verb('abandon');
    await bench.settled({ state: 'single', live: 'blue' });
    expect(await bench.leftovers()).toEqual(nothing);
  };
  const slotName = async (): Promise<string> => (await bench.journal()).stream?.name ?? '';

  test(
    "fault 12: green is down until its slot reaches the cap: the slot is lost, blue's log stays bounded, switch is refused for that reason",
    { timeout },
    async () => {
      await verified();
      await bench.platform.servers.stop('green', 'immediate');
      const { verdict } = await bench.exercise(async (workload) => {
        const name = await slotName();
        await until(
          'the slot lost',
          async () =>
            bench.on('blue', async (client) => {
              await client.query(
                "SELECT pg_logical_emit_message(false, 'test', repeat('x', 8 * 1024 * 1024)) FROM generate_series(1, 3)",
              );
              await client.query('SELECT pg_switch_wal(); CHECKPOINT');
              return (
                (
                  await one<{ status: string }>(
                    client,
                    'SELECT wal_status AS status FROM pg_replication_slots WHERE slot_name = $1',
                    [name],
                  )
                ).status === 'lost'
              );
            }),
          120_000,
        );
        await bench.on('blue', (client) => client.query('CHECKPOINT'));
        const wal = path.join(dataDirectory({ directory: bench.platform.places.server('blue', 1) }), 'pg_wal');
        const sizes = await Promise.all(
          (await readdir(wal)).map(
            async (file) => (await stat(path.join(wal, file)).catch(() => undefined))?.size ?? 0,
          ),
        );
        // The cap, what a checkpoint may keep beside it, and the segment in use.
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(cap + 64 * mebibyte + 3 * 16 * mebibyte);
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.platform.servers.start('green');
      const refused = await failure(bench.verb('switch'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: { findings: expect.arrayContaining([expect.objectContaining({ id: 'slot-lost' })]) as unknown },
      });
      expect(refused.next).toMatch(/seed again/);
      // Whoever already waits for the other colour is told at once, not at the end of limits.catchUp.
      const name = await slotName();
      await bench.on('blue', (publisher) =>
        bench.on('green', async (subscriber) => {
          await expect(crossBarrier(publisher, subscriber, name, 120_000)).rejects.toMatchObject({
            id: 'slot-lost',
            next: expect.stringMatching(/seed again/) as string,
          });
        }),
      );
      await bench.settled({ state: 'verified', live: 'blue' });
      await abandoned();
    },
  );

  test(
    'fault 13: the slot dropped on blue by hand: switch is refused, the reason named, re-seeding offered',
    { timeout },
    async () => {
      await verified();
      const name = await slotName();
      await until('the slot dropped', async () =>
        bench.on('blue', async (client) => {
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
      const refused = await failure(bench.verb('switch'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: {
          findings: expect.arrayContaining([
            expect.objectContaining({ id: 'slot-missing', objects: [name] }),
          ]) as unknown,
        },
      });
      expect(refused.next).toMatch(/seed again/);
      await bench.settled({ state: 'verified', live: 'blue' });
      await abandoned();
    },
  );

  test(
    'fault 15: DDL on blue during replication: switch is refused and says what differs; undone, it goes on',
    { timeout },
    async () => {
      await verified();
      await bench.on('blue', (client) =>
        client.query('ALTER TABLE load.row ADD COLUMN surprise text; CREATE INDEX row_surprise ON load.row (surprise)'),
      );
      const refused = await failure(bench.verb('switch'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: { findings: [{ id: 'schema-drift', title: expect.stringContaining('blue') as string }] },
      });
      expect(JSON.stringify(refused.facts)).toMatch(/surprise/);
      expect(JSON.stringify(refused.facts)).toMatch(/row_surprise/);
      await bench.on('blue', (client) => client.query('ALTER TABLE load.row DROP COLUMN surprise'));
      const { verdict } = await bench.exercise(async (workload) => {
        await bench.verb('switch');
        await served(workload);
        await bench.verb('rollback');
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await abandoned();
    },
  );

  test(
    'fault 16: a row on green conflicts: apply stops and says so, nothing is skipped, switch is refused',
    { timeout },
    async () => {
      await verified();
      await bench.on('green', (client) => client.query("INSERT INTO load.row VALUES (2000, 'somebody else')"));
      await bench.on('blue', (client) =>
        client.query(
          "INSERT INTO load.row SELECT i, 'after' FROM generate_series(1999, 2001) i; INSERT INTO load.row VALUES (2002, 'later')",
        ),
      );
      const name = await slotName();
      await until('apply stopped', async () =>
        bench.on(
          'green',
          async (client) =>
            (
              await one<{ errors: number }>(
                client,
                'SELECT apply_error_count::int AS errors FROM pg_stat_subscription_stats WHERE subname = $1',
                [name],
              )
            ).errors > 0,
        ),
      );
      await bench.on('green', (client) => client.query(`ALTER SUBSCRIPTION "${name}" DISABLE`));
      expect((await failure(bench.verb('switch'))).message).toContain('the subscription on green is disabled');
      await bench.on('green', (client) => client.query(`ALTER SUBSCRIPTION "${name}" ENABLE`));
      const refused = await failure(bench.verb('switch'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: { findings: expect.arrayContaining([expect.objectContaining({ id: 'apply-stopped' })]) as unknown },
      });
      await bench.settled({ state: 'verified', live: 'blue' });
      // The transaction as a whole is not there, and neither is what came after it.
      expect(
        await bench.on('green', (client) => rows(client, 'SELECT id::int, payload FROM load.row WHERE id > 1000')),
      ).toEqual([{ id: 2000, payload: 'somebody else' }]);
      await bench.on('green', (client) => client.query('DELETE FROM load.row WHERE id = 2000'));
      await bench.on('blue', (from) => bench.on('green', (to) => crossBarrier(from, to, name, 60_000)));
      expect(await bench.digest('green')).toEqual(await bench.digest('blue'));
      // Apply got past it by itself; that somebody wrote on the candidate stays on record until the proof is renewed.
      bench.events.length = 0;
      await bench.verb('switch');
      expect(bench.events).toContainEqual(
        expect.objectContaining({
          type: 'finding',
          finding: expect.objectContaining({ id: 'apply-errors', grade: 'warn' }) as unknown,
        }),
      );
      await bench.verb('rollback');
      await abandoned();
    },
  );

  test(
    'fault 16: a row was written while its schema had another name: switch and status say that abandoning is the way on, and it is',
    { timeout },
    async () => {
      await verified();
      await bench.on('blue', (client) =>
        client.query(`ALTER SCHEMA load RENAME TO elsewhere; INSERT INTO elsewhere.row VALUES (3000, 'under another name');
          ALTER SCHEMA elsewhere RENAME TO load`),
      );
      const name = await slotName();
      await until('apply stopped', async () =>
        bench.on('green', async (client) => (await readSubscription(client, name))?.errors !== 0),
      );
      const refused = await failure(bench.verb('switch'));
      expect(refused.facts).toMatchObject({
        findings: [{ id: 'apply-stopped', fix: expect.stringMatching(/^Run `verdigris abandon`/) as unknown }],
      });
      const { troubles } = await readStatus(bench.environment, bench.platform);
      expect(troubles).toContainEqual(
        expect.objectContaining({
          id: 'apply-stopped',
          repair: expect.stringMatching(/^`verdigris abandon`/) as unknown,
        }),
      );
      await abandoned();
      await verified();
      await bench.verb('switch');
      expect(await bench.on('green', (client) => rows(client, 'SELECT FROM load.row WHERE id = 3000'))).toHaveLength(1);
    },
  );
});
