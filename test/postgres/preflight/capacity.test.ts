import { expect, test } from 'vitest';
import { startServer, stopServer } from '../../../src/platform/local/server.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase, withServer } from '../../support/postgres.ts';
import { findingOf, findingsOf, fixes, runScript, sound } from './support.ts';
import { sqlState } from '../../support/failure.ts';
import { until } from '../../support/until.ts';

test('a server with no room is told the numbers, and has room after the fixes and a restart', async () => {
  await withServer(
    async (server) => {
      const graves = [
        'wal-level',
        'replication-slots',
        'wal-senders',
        'logical-workers',
        'worker-processes',
        'replication-origins',
      ];
      await withClient(connectionTo(server), 'test', async (client) => {
        await client.query(
          "SELECT pg_create_physical_replication_slot('taken'), pg_replication_origin_create('taken')",
        );
        expect(await sqlState(client, "SELECT pg_create_logical_replication_slot('s', 'pgoutput')")).not.toBe(
          'succeeded',
        );
        const found = (await findingsOf(client)).filter(({ grade }) => grade === 'refuse');
        expect(found.map(({ id, objects }) => [id, ...objects])).toEqual([
          ['wal-level', 'wal_level'],
          ['replication-slots', 'max_replication_slots = 1, needed 3'],
          ['wal-senders', 'max_wal_senders = 0, needed 1'],
          ['logical-workers', 'max_logical_replication_workers = 0, needed 1'],
          ['worker-processes', 'max_worker_processes = 0, needed 2'],
          ['replication-origins', 'max_replication_slots = 1, needed 2'],
        ]);
        for (const { fix } of found) await runScript(client, fix);
      });
      await stopServer(server);
      await startServer(server);
      await withClient(connectionTo(server), 'test', async (client) => {
        expect((await findingsOf(client)).filter(({ id }) => graves.includes(id))).toEqual([]);
        await client.query("SELECT pg_create_logical_replication_slot('verdigris_s', 'pgoutput')");
        expect(await findingOf(client, 'replication-slots')).toBeUndefined();
      });
    },
    {
      ...sound,
      wal_level: 'replica',
      max_replication_slots: '1',
      max_wal_senders: '0',
      max_logical_replication_workers: '0',
      max_worker_processes: '0',
    },
  );
});

test('WAL without limit is refused without a budget and warned of with one; a limit above the budget is warned of', async () => {
  await withDatabase(async (client) => {
    expect(await findingOf(client, 'slot-wal-unlimited', { limits: { retainedWalBytes: 0 } })).toMatchObject({
      grade: 'refuse',
    });
    await fixes(client, 'slot-wal-unlimited', { grade: 'warn', objects: ['max_slot_wal_keep_size = -1'] });
    expect(await findingOf(client, 'slot-wal-above-budget')).toBeUndefined();
    await fixes(
      client,
      'slot-wal-above-budget',
      { grade: 'warn', objects: ['max_slot_wal_keep_size = 1024MB'] },
      { limits: { retainedWalBytes: 512 * 1024 ** 2 } },
    );
  });
});

test('a slot of ours that holds much WAL is told, and one that lost it is refused', async () => {
  await withDatabase(
    async (client) => {
      await client.query(
        "SELECT pg_create_logical_replication_slot('verdigris_shop_1', 'pgoutput'); CREATE TABLE t (x text)",
      );
      const write = async () =>
        client.query(
          "INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 2000); SELECT pg_switch_wal(); CHECKPOINT",
        );
      await write();
      expect(
        (await findingOf(client, 'slot-retains', { gate: 'switch', limits: { retainedWalBytes: 1024 ** 2 } }))?.objects,
      ).toEqual([expect.stringMatching(/^verdigris_shop_1: \d+ MB, (reserved|extended)$/)]);
      await until('the slot is lost', async () => {
        await write();
        return (await findingOf(client, 'slot-lost', { gate: 'switch' })) !== undefined;
      });
      expect(await findingOf(client, 'slot-lost', { gate: 'switch' })).toMatchObject({
        grade: 'refuse',
        objects: ['verdigris_shop_1'],
      });
    },
    { max_slot_wal_keep_size: '32MB', max_wal_size: '32MB', min_wal_size: '32MB' },
  );
});

test('a limit for slots that nobody reads, which PostgreSQL 18 has, is warned of on either side', async () => {
  const limited = { ...sound, idle_replication_slot_timeout: '2h' };
  await withServer(
    async (server) =>
      withClient(connectionTo(server), 'test', async (client) => {
        const warned = { grade: 'warn', objects: ['idle_replication_slot_timeout = 2h'] } as const;
        expect(await findingOf(client, 'slot-idle-timeout', { side: 'candidate', gate: 'switch' })).toMatchObject({
          ...warned,
          reason: expect.stringContaining('reverse replication'),
        });
        await fixes(client, 'slot-idle-timeout', warned);
      }),
    limited,
    18,
  );
});
