import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { routerFiles } from '../../src/router/config.ts';
import { routerPid } from '../../src/router/launch.ts';
import { untilStopped } from './operators.ts';
import { nothing, served, withBench, withOpenTransaction, type FaultBench } from './support.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

async function killRouter({ platform }: FaultBench): Promise<void> {
  const pid = await routerPid(platform.places.router);
  if (pid === undefined) throw new Error('the router runs');
  process.kill(pid, 'SIGKILL');
  await until('the router gone', async () => (await routerPid(platform.places.router)) === undefined);
}

/** It runs, holds or serves its clients, and nobody can tell it anything. */
async function cutControl({ platform }: FaultBench): Promise<void> {
  await rm(routerFiles(platform.places.router).control);
}

test(
  'fault 28: the router dies, or does not listen any more, in the middle of a switchover: undone within the limit, or forward; it is started again by itself',
  { timeout },
  async () => {
    await withBench({ deadman: false, limits: { switchover: '4s' } }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        const meanwhile = async (
          verb: 'switch' | 'rollback',
          stopAt: { readonly step: string; readonly status: 'started' | 'done' },
          fault: (bench: FaultBench) => Promise<void>,
        ) => {
          const operator = await bench.operators.start(verb, { stopAt });
          await untilStopped(operator, 60_000);
          await fault(bench);
          process.kill(operator.pid, 'SIGCONT');
          return operator.ended;
        };
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);

        // Before the commit point, where the switchover cannot go on either.
        const operator = await bench.operators.start('switch', { stopAt: { step: 'hold', status: 'done' } });
        await untilStopped(operator, 60_000);
        await withOpenTransaction(
          { ...(await bench.platform.servers.connection('green')), database: 'shop' },
          'LOCK TABLE workload.account IN SHARE MODE',
          async () => {
            // All that clients wrote has arrived: this one cannot, nor can the marker behind it.
            await bench.on('blue', (client) =>
              client.query('UPDATE workload.account SET balance = balance WHERE id = 1'),
            );
            await killRouter(bench);
            process.kill(operator.pid, 'SIGCONT');
            expect(await operator.ended).toMatchObject({ how: 'failed', error: { id: 'switchover-limit' } });
          },
        );
        await bench.settled({ state: 'verified', live: 'blue' });
        await served(workload);

        expect(await meanwhile('switch', { step: 'barrier', status: 'done' }, killRouter)).toEqual({ how: 'done' });
        await bench.settled({ state: 'switched', live: 'green' });
        await served(workload);

        expect(await meanwhile('rollback', { step: 'open', status: 'started' }, killRouter)).toEqual({ how: 'done' });
        await bench.settled({ state: 'migrated', live: 'blue' });
        await served(workload);

        await bench.verb('verify');
        expect(await meanwhile('switch', { step: 'hold', status: 'done' }, cutControl)).toEqual({ how: 'done' });
        await bench.settled({ state: 'switched', live: 'green' });
        await served(workload);
        await bench.harvest();
        await bench.verb('retire');
        await served(workload);
      });
      // Whose connection was cut was told so, or not told that it was committed; all that was told stands, once.
      expect(verdict).toMatchObject({ ok: true });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
