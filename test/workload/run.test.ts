import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dataDirectory, startServer, stopServer, writeSettings } from '../../src/platform/local/server.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { judge } from '../../src/workload/judge.ts';
import { readWorkloadLog } from '../../src/workload/log.ts';
import { serverName } from '../../src/workload/server-name.ts';
import { startWorkload } from '../../src/workload/start.ts';
import { spread } from '../../src/workload/tally.ts';
import { connectionTo, withDatabase, withServer } from '../support/postgres.ts';
import { withWorkload } from './support.ts';

const blue = { fsync: 'off', max_connections: '60', cluster_name: 'shop-blue' };
const sessions = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'verdigris/workload%'";

test('8 writers in every style and 4 readers run, and each acknowledged write stands once', async () => {
  await withDatabase(
    async (client, server) =>
      withWorkload(server, async (options) => {
        const workload = await startWorkload(options);
        const seen: number[] = [];
        const off = workload.onStats(({ acknowledged }) => seen.push(acknowledged));
        const stats = await workload.until(({ acknowledged, reads }) => acknowledged > 300 && reads > 100, 30_000);
        off();
        expect(seen.length).toBeGreaterThan(0);
        expect(stats.intervals.map(({ errors }) => errors)).toEqual(stats.intervals.map(() => 0));
        // On a busy machine the first interval may have no read, or no write.
        for (const kind of ['writesByColour', 'readsByColour'] as const)
          expect([...new Set(stats.intervals.flatMap((each) => Object.keys(each[kind])))]).toEqual(['blue']);
        const log = await workload.stop();
        expect(log.ended).toBe('stopped');
        const verdict = await judge(client, log);
        expect(verdict).toMatchObject({
          ok: true,
          attempted: verdict.acknowledged,
          errors: { statements: 0, connects: 0, idle: 0 },
        });
        expect(verdict.acknowledged).toBe(workload.stats().acknowledged);
        const kinds = await rows<{ kind: string }>(client, 'SELECT DISTINCT kind FROM workload.entry');
        expect(kinds.map(({ kind }) => kind).sort()).toEqual([
          'autocommit',
          'autocommit-pooled',
          'autocommit-prepared',
          'autocommit-prepared-pooled',
          'explicit2-pooled',
          'explicit3-prepared',
          'explicit4',
          'explicit4-prepared-pooled',
        ]);
        await expect.poll(async () => rows(client, sessions), { timeout: 10_000 }).toEqual([]);
        // A second run on the same tables has a name of its own, and the first is judged as before.
        const second = await startWorkload({ ...options, logFile: `${options.logFile}.2` });
        await second.until(({ acknowledged }) => acknowledged > 20, 30_000);
        expect(await judge(client, await second.stop())).toMatchObject({ ok: true });
        expect(await judge(client, log)).toEqual(verdict);
      }),
    blue,
  );
});

test('a server that crashes and comes back as the other colour costs errors but no write; a wrong commit point is noticed', async () => {
  await withServer(async (server) => {
    await withClient(connectionTo(server), 'test', (client) => client.query('CREATE DATABASE test'));
    await withWorkload(server, async (options) => {
      const workload = await startWorkload(options);
      await workload.until(({ acknowledged }) => acknowledged > 150, 30_000);
      await stopServer(server, 'immediate');
      const commit = { at: new Date(), from: 'blue', to: 'green' };
      await writeSettings(server, { ...blue, cluster_name: 'shop-green' });
      await startServer(server);
      const back = workload.stats().acknowledged;
      await workload.until(({ acknowledged }) => acknowledged > back + 100, 30_000);
      const log = await workload.stop();
      await withClient(connectionTo(server, 'test'), 'test', async (client) => {
        const verdict = await judge(client, log, { commits: [commit] });
        expect(verdict.ok).toBe(true);
        // Clients of a busy machine may note an answer late, behind the commit: the longest pause is another then.
        expect(verdict.pauses).toHaveLength(1);
        expect(verdict.pauses[0]?.ms).toBeGreaterThan(0);
        expect(verdict.pauses[0]?.ms).toBeLessThanOrEqual(verdict.pause?.ms ?? 0);
        expect(verdict.errors.connects).toBeGreaterThan(0);
        expect(verdict.errors.byCode).toHaveProperty('ENOENT');
        const late = await judge(client, log, { commits: [{ ...commit, at: new Date(log.stoppedAt) }] });
        expect(late.wrongColour.count).toBeGreaterThan(0);
      });
    });
  }, blue);
});

test('a server without a name is its colour where system identifier and timeline are known, else, or after a promotion, a stranger', async () => {
  await withServer(
    async (server) => {
      await withClient(connectionTo(server), 'test', (client) => client.query('CREATE DATABASE test'));
      const nameNow = () =>
        withClient(
          connectionTo(server, 'test'),
          'test',
          async (client) => (await one<{ name: string }>(client, `SELECT ${serverName} AS name`)).name,
        );
      await withWorkload(server, async (options) => {
        const name = await nameNow();
        expect(name).toMatch(/^\d+ timeline 00000001$/);
        const elsewhere = [{ at: new Date(0), from: 'green', to: 'blue' }];
        const judged = async (servers: Record<string, string>) => {
          const workload = await startWorkload({ ...options, servers });
          await workload.until(({ acknowledged, reads }) => acknowledged > 50 && reads > 10, 30_000);
          const log = await workload.stop();
          return withClient(connectionTo(server, 'test'), 'test', (client) =>
            judge(client, log, { commits: elsewhere }),
          );
        };
        expect(await judged({ [name]: 'blue' })).toMatchObject({ ok: true, wrongColour: { count: 0 } });
        expect(await judged({ [name]: 'green' })).toMatchObject({ ok: false });
        const stranger = await judged({});
        expect(stranger).toMatchObject({
          ok: false,
          lost: { count: 0 },
          wrongColour: { count: stranger.acknowledged },
        });
        await stopServer(server, 'fast');
        await writeFile(path.join(dataDirectory(server), 'standby.signal'), '');
        await startServer(server);
        expect(await nameNow()).toMatch(/timeline of recovery$/);
        await withClient(connectionTo(server), 'test', (client) => client.query('SELECT pg_promote()'));
        expect(await nameNow()).toBe(name.replace('00000001', '00000002'));
        const promoted = await judged({ [name]: 'blue' });
        expect(promoted.wrongColour.count).toBe(promoted.acknowledged);
      });
    },
    { fsync: 'off', max_connections: '60' },
  );
});

test('the log survives a kill of the clients, and a limit stops clients whose parent forgets them', async () => {
  await withDatabase(async (client, server) =>
    withWorkload(server, async (options) => {
      const killed = await startWorkload(options);
      await killed.until(({ acknowledged }) => acknowledged > 100, 30_000);
      process.kill(killed.pid, 'SIGKILL');
      const log = await killed.stop();
      expect(log.ended).toBe('killed');
      expect(log.attempts.length).toBeGreaterThan(100);
      // A backend may still be at work on what the dead clients sent last: it counts as sent.
      await expect.poll(async () => rows(client, sessions), { timeout: 10_000 }).toEqual([]);
      expect(await judge(client, log)).toMatchObject({ ok: true });

      const limited = await startWorkload({ ...options, maxDuration: 300 });
      await expect(limited.until(() => false, 20_000)).rejects.toThrow('has ended');
      expect((await limited.stop()).ended).toBe('limit');
    }),
  );
});

test('a log is read up to a last line cut short, and refused where it is damaged elsewhere', async () => {
  await withDatabase(async (_, server) =>
    withWorkload(server, async (options) => {
      const workload = await startWorkload(options);
      await workload.until(({ acknowledged }) => acknowledged > 20, 30_000);
      const log = await workload.stop();
      await appendFile(options.logFile, '["ack",1,');
      expect(await readWorkloadLog(options.logFile)).toEqual(log);
      await writeFile(options.logFile, (await readFile(options.logFile, 'utf8')).replace('["sent",', '["se'));
      await expect(readWorkloadLog(options.logFile)).rejects.toMatchObject({ id: 'workload-log-damaged' });
    }),
  );
});

test('a workload that cannot start says why', async () => {
  await withDatabase(async (client, server) =>
    withWorkload(server, async (options) => {
      await expect(startWorkload({ ...options, writer: { ...options.writer, user: 'nobody_here' } })).rejects.toThrow(
        'role "nobody_here" does not exist',
      );
      await expect(startWorkload({ ...options, writers: 9 })).rejects.toThrow('8 accounts for 9 writers');
      await expect(startWorkload({ ...options, logFile: '/nowhere/log' })).rejects.toThrow('ENOENT');
      await client.query('DROP SCHEMA workload CASCADE');
      await expect(startWorkload(options)).rejects.toMatchObject({
        id: 'workload-start',
        seen: expect.stringContaining('workload.account') as string,
      });
    }),
  );
});

test('percentiles by nearest rank', () => {
  expect(spread([])).toEqual({ p50: 0, p95: 0, max: 0 });
  expect(spread([3, 1, 2])).toEqual({ p50: 2, p95: 3, max: 3 });
  expect(spread(Array.from({ length: 100 }, (_, index) => index + 1))).toEqual({ p50: 50, p95: 95, max: 100 });
});
