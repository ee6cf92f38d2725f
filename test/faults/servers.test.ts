import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { dataDirectory } from '../../src/platform/local/server.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { chown } from 'node:fs/promises';
import { rows } from '../../src/postgres/client.ts';
import type { Workload } from '../../src/workload/start.ts';
import { untilStopped } from './operators.ts';
import type { Order } from './orders.ts';
import { killServer, nothing, served, withBench, type FaultBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

/** Kills a colour, shows what the gate of `verb` says meanwhile, and starts the colour again. */
async function dies(
  bench: FaultBench,
  colour: 'blue' | 'green',
  verb: 'migrate' | 'verify' | 'switch' | 'rollback',
  how: 'SIGKILL' | 'immediate',
): Promise<void> {
  if (how === 'SIGKILL') await killServer(bench, colour);
  else await bench.platform.servers.stop(colour, 'immediate');
  const before = await bench.journal();
  expect(await failure(bench.verb(verb)), `${verb} without ${colour}`).toMatchObject({
    code: 'refused',
    id: 'gate-refused',
    facts: { findings: [{ id: 'server-down', title: `${colour} is down` }] },
  });
  expect(await bench.journal()).toMatchObject({ state: before.state, live: before.live, operation: null });
  await bench.platform.servers.start(colour);
  await level(bench);
}

/** Apply tries again every five seconds after it lost its publisher; the gates want it in step. */
async function level(bench: FaultBench): Promise<void> {
  await until(
    'in step again',
    async () => {
      const { replication } = await readStatus(bench.environment, bench.platform);
      return replication?.applying === true && (replication.lagBytes ?? Number.POSITIVE_INFINITY) < 1024 ** 2;
    },
    60_000,
  );
}

test(
  'faults 12, 27, 29: blue and green killed at each state: the gate says who is down, the colour is started again, and the release goes on',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await bench.verb('seed');
        for (const [state, verb, how] of [
          ['seeded', 'migrate', 'SIGKILL'],
          ['migrated', 'verify', 'immediate'],
          ['verified', 'switch', 'SIGKILL'],
          ['canary', 'switch', 'immediate'],
          ['switched', 'rollback', 'SIGKILL'],
        ] as const) {
          if (state === 'canary') await bench.verb('canary', { canary: 50 });
          expect((await bench.journal()).state).toBe(state);
          for (const colour of ['green', 'blue'] as const) {
            await dies(bench, colour, verb, how);
            await served(workload);
          }
          if (state === 'verified') continue;
          // A live colour that restarted is told, and stops nothing: slots survive a restart.
          bench.events.length = 0;
          await bench.verb(verb);
          if (state !== 'switched')
            expect(bench.events).toContainEqual(
              expect.objectContaining({
                type: 'finding',
                finding: expect.objectContaining({ id: 'live-restarted', grade: 'warn' }) as unknown,
              }),
            );
        }
        await bench.settled({ state: 'migrated', live: 'blue' });
        await served(workload);
        await bench.verb('abandon');
      });
      // A client whose server is killed is told so; what it was told stands, stands.
      expect(verdict).toMatchObject({ ok: true });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

/**
 * Blue dies at this point of a switch, with all that it acknowledged on green: forward, and what it missed is made good
 * once it is there again.
 */
async function blueDies(bench: FaultBench, workload: Workload, stopAt: Order['stopAt'] & object): Promise<void> {
  const operator = await bench.operators.start('switch', { stopAt });
  await untilStopped(operator, 60_000);
  await killServer(bench, 'blue');
  process.kill(operator.pid, 'SIGCONT');
  // By the operator, or by the dead man's limit where he slept too long.
  await operator.ended;
  await until('forward', async () => (await bench.journal()).operation === null, 60_000);
  await bench.settled({ state: 'switched', live: 'green' });
  expect(await readStatus(bench.environment, bench.platform)).toMatchObject({ losslessRollback: false });
  await served(workload);
  await bench.platform.servers.start('blue');
  await bench.recover();
  await bench.settled({ state: 'switched', live: 'green', closing: null });
  await until(
    'a lossless rollback',
    async () => (await readStatus(bench.environment, bench.platform)).losslessRollback === true,
  );
}

test(
  'faults 27, 29: a colour killed in a switch: without green undone, without blue forward once green has all; what blue missed is made good',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        const behindBarrier = await bench.operators.start('switch', { stopAt: { step: 'barrier', status: 'done' } });
        await untilStopped(behindBarrier, 60_000);
        await killServer(bench, 'green');
        process.kill(behindBarrier.pid, 'SIGCONT');
        expect(await behindBarrier.ended).toMatchObject({ how: 'failed' });
        await until(
          'undone',
          async () =>
            (await bench.journal()).operation === null && (await bench.platform.traffic.status()).held === undefined,
        );
        await bench.settled({ state: 'verified', live: 'blue' });
        await served(workload);
        await bench.platform.servers.start('green');
        await level(bench);

        await blueDies(bench, workload, { step: 'barrier', status: 'done' });
        await bench.verb('rollback');
        await bench.verb('verify');

        // The new live colour dies after the commit point: clients wait until it is there again.
        const operator = await bench.operators.start('switch', { stopAt: { step: 'open', status: 'started' } });
        await untilStopped(operator, 60_000);
        await killServer(bench, 'green');
        process.kill(operator.pid, 'SIGCONT');
        expect(await operator.ended).toMatchObject({ how: 'failed' });
        expect(await bench.journal()).toMatchObject({
          state: 'switched',
          live: 'green',
          operation: { phase: 'complete' },
        });
        await bench.platform.servers.start('green');
        await until('forward', async () => (await bench.journal()).operation === null, 60_000);
        await bench.settled({ state: 'switched', live: 'green', closing: null });
        await served(workload);
        await bench.verb('rollback');
        await bench.verb('verify');

        await blueDies(bench, workload, { step: 'open', status: 'started' });
        await bench.verb('rollback');
        await served(workload);
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject({ ok: true });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'fault 17: blue fails over, its timeline changes: migrate is refused, re-seeding is offered, abandon clears',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      await bench.verb('seed');
      await bench.platform.servers.stop('blue', 'fast');
      // A server that went through recovery as a standby and was promoted: what a replica is after a failover.
      const signal = path.join(dataDirectory({ directory: bench.platform.places.server('blue', 1) }), 'standby.signal');
      await writeFile(signal, '');
      const account = await serverAccount();
      if (account) await chown(signal, account.uid, account.gid);
      await bench.platform.servers.start('blue');
      await bench.on('blue', (client) => client.query('SELECT pg_promote(true, 60)'));
      const refused = await failure(bench.verb('migrate'));
      expect(refused).toMatchObject({
        code: 'refused',
        facts: { findings: expect.arrayContaining([expect.objectContaining({ id: 'timeline-changed' })]) as unknown },
      });
      expect(refused.next).toMatch(/abandon.*seed again/);
      await bench.verb('abandon');
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await bench.on('blue', (client) => rows(client, 'SELECT pg_is_in_recovery() AS recovery'))).toEqual([
        { recovery: false },
      ]);
    });
  },
);
