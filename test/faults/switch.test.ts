import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { good } from '../support/verdict.ts';
import { untilStopped } from './operators.ts';
import { nothing, openBench, served, withOpenTransaction, type OpenBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

/** Of the candidate: nothing of the way back, but its own log since it was verified. */
const slots = (client: Client): Promise<unknown[]> =>
  rows(client, 'SELECT slot_name AS name FROM pg_replication_slots');

describe('switch', () => {
  let bench: OpenBench;
  beforeAll(async () => {
    bench = await openBench({
      limits: { switchover: '4s', pause: '1s' },
      fill: async (client) =>
        void (await client.query('CREATE SCHEMA load; CREATE TABLE load.direct (id int PRIMARY KEY)')),
    });
    for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
  }, timeout);
  afterAll(async () => bench.close(), timeout);

  test(
    'fault 22: a long transaction holds the pause: clients go on within the budget, nothing changed, no client saw an error',
    { timeout },
    async () => {
      const { verdict } = await bench.exercise(async (workload) => {
        await withOpenTransaction(
          await bench.as('shop_app'),
          'UPDATE load.direct SET id = id; SELECT pg_current_xact_id()',
          async (client) => {
            const before = await bench.journal();
            const refused = await failure(bench.verb('switch'));
            expect(refused).toMatchObject({ code: 'refused', id: 'pause-timeout' });
            expect(refused.seen).toContain('shop_app@shop');
            await bench.settled({ state: 'verified', live: 'blue', streams: before.streams });
            await served(workload);
            // It was not cut off.
            await client.query('COMMIT');
          },
        );
        expect(await bench.on('green', slots)).toEqual([{ name: expect.stringMatching(/_proof$/) }]);
      });
      expect(verdict).toMatchObject(good);
      // The budget, and what a busy machine adds.
      expect(verdict.pause?.ms).toBeLessThan(1_000 + 2_000);
    },
  );

  test(
    "the switchover's limit passes because the marker cannot be applied: undone within the limit, no client saw an error",
    { timeout },
    async () => {
      const { verdict } = await bench.exercise(async (workload) => {
        const operator = await bench.operators.start('switch', { stopAt: { step: 'hold', status: 'started' } });
        await untilStopped(operator, 60_000);
        await withOpenTransaction(
          { ...(await bench.platform.servers.connection('green')), database: 'shop' },
          'LOCK TABLE workload.entry IN SHARE MODE',
          async () => {
            // Behind a write that waits for the lock the marker waits too; with none on its way it would arrive.
            await served(workload);
            process.kill(operator.pid, 'SIGCONT');
            expect(await operator.ended).toMatchObject({ how: 'failed', error: { id: 'switchover-limit' } });
            await bench.settled({ state: 'verified', live: 'blue' });
            await served(workload);
          },
        );
      });
      expect(verdict).toMatchObject(good);
      expect(verdict.pause?.ms).toBeLessThan(4_000 + 3_000);
    },
  );

  test(
    'undoing waits for a lock no longer than the limit and says who is in the way; the clients go on, and the next command undoes the rest',
    { timeout },
    async () => {
      const { verdict } = await bench.exercise(async (workload) => {
        const operator = await bench.operators.start('switch', { stopAt: { step: 'hold', status: 'started' } });
        await untilStopped(operator, 60_000);
        await withOpenTransaction(
          { ...(await bench.platform.servers.connection('green')), database: 'shop' },
          'LOCK TABLE verdigris.barrier',
          async (holder) => {
            const { pid } = await one<{ pid: number }>(holder, 'SELECT pg_backend_pid() AS pid');
            process.kill(operator.pid, 'SIGCONT');
            const ending = await operator.ended;
            expect(ending).toMatchObject({ how: 'failed', error: { id: 'undo-failed' } });
            expect(JSON.stringify(ending)).toMatch(
              new RegExp(`waited 4000 ms for a lock.*verdigris_operator \\(pid ${pid},`),
            );
            expect((await bench.platform.traffic.status()).held).toBeUndefined();
            expect(await bench.journal()).toMatchObject({
              state: 'verified',
              live: 'blue',
              operation: { phase: 'revert' },
            });
            await served(workload);
          },
        );
        await bench.recover();
        await bench.settled({ state: 'verified', live: 'blue' });
      });
      expect(await bench.on('green', slots)).toEqual([{ name: expect.stringMatching(/_proof$/) }]);
      expect(verdict).toMatchObject(good);
    },
  );

  test(
    'fault 26: a client that goes round the router is rejected by the fence, and none of its acknowledged writes is lost',
    { timeout },
    async () => {
      const acknowledged: number[] = [];
      let rejected = '';
      const { verdict } = await bench.exercise(async (workload) => {
        const settings = await bench.as('shop_app', 'blue');
        const around = (async () => {
          for (let id = 1; rejected === '';) {
            await withClient(settings, 'around', async (client) => {
              for (; ; id++) {
                await client.query('INSERT INTO load.direct VALUES ($1)', [id]);
                acknowledged.push(id);
              }
            }).catch((error: Error & { code?: string }) => {
              // Cut off in the middle of a write: that number may stand or not, and is not sent again.
              id++;
              if (error.code === '28000') rejected = error.message;
            });
            await delay(5);
          }
        })();
        await until('writes round the router', async () => acknowledged.length > 50);
        await bench.verb('switch');
        await around;
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      expect(rejected).toMatch(/pg_hba\.conf rejects connection/);
      const there = new Set(
        (await bench.on('green', (client) => rows<{ id: number }>(client, 'SELECT id FROM load.direct'))).map(
          ({ id }) => id,
        ),
      );
      expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
      // Nothing got in on blue behind the fence either: both hold the same rows.
      await until('level', async () =>
        bench.on(
          'blue',
          async (client) =>
            (await one<{ rows: number }>(client, 'SELECT count(*)::int AS rows FROM load.direct')).rows === there.size,
        ),
      );
      await bench.verb('retire');
      expect(await bench.leftovers()).toEqual(nothing);
    },
  );
});
