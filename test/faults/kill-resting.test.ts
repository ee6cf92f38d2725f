import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { rows } from '../../src/postgres/client.ts';
import type { Workload } from '../../src/workload/start.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { killAlongTheWay } from './kill-chain.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;
const declaration = { retention: { mode: 'scaled-down' } };
const runs = async ({ platform }: FaultBench) => (await platform.servers.observe('blue'))?.running === true;

/** Green is live, blue rests and can be gone back to without loss, by what the servers say. */
async function requireResting(bench: FaultBench, where: string): Promise<void> {
  await bench.settled({ state: 'switched', live: 'green', closing: null });
  expect(await runs(bench), where).toBe(false);
  expect(await readStatus(bench.environment, bench.platform), where).toMatchObject({ losslessRollback: true });
  const { stream } = await bench.journal();
  const slots = "SELECT slot_name AS name, active FROM pg_replication_slots WHERE slot_name !~ '_proof$'";
  expect(await bench.on('green', (client) => rows(client, slots)), where).toEqual([
    { name: stream?.name, active: false },
  ]);
}

async function back(bench: FaultBench, workload: Workload): Promise<void> {
  await served(workload);
  await bench.verb('rollback');
  await bench.settled({ state: 'migrated', live: 'blue', closing: null });
  await served(workload);
}

test(
  'a switchover whose retained colour is scaled down, killed as its streams end and begin and as blue stops: blue rests, and nothing is lost on the way back',
  { timeout },
  async () => {
    await withBench({ declaration }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate'] as const) await bench.verb(verb);
        for (const step of ['close-stream', 'reverse', 'rest'])
          for (const how of ['dieBefore', 'dieAfter'] as const) {
            const where = `${how} ${step}`;
            await bench.verb('verify');
            expect(await bench.operators.run('switch', { [how]: step }), where).toEqual({ how: 'killed' });
            expect((await bench.journal()).operation, where).toMatchObject({ verb: 'switch', phase: 'complete' });
            await served(workload);
            await bench.recover();
            await requireResting(bench, where);
            await back(bench, workload);
          }
        await bench.verb('verify');
        expect(await bench.operators.run('switch', { dieAfter: 'resume' })).toEqual({ how: 'killed' });
        const killed = await killAlongTheWay(bench, 'switch');
        expect(new Set(killed.map(({ step }) => step))).toEqual(
          new Set(['close-stream', 'reverse', 'rest', 'none', ...killed.map(({ step }) => step)]),
        );
        await requireResting(bench, 'killed at every write');
        await served(workload);
        await bench.harvest();
        await bench.verb('retire');
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'a rollback that wakes the retained colour, killed while it starts and at each of its writes: green stays live, and the next one goes back without loss',
  { timeout },
  async () => {
    await withBench({ declaration }, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate'] as const) await bench.verb(verb);
        const whileStarting = async (): Promise<void> => {
          const operator = await bench.operators.start('rollback');
          await until('blue started', () => runs(bench), 60_000);
          process.kill(operator.pid, 'SIGKILL');
          expect(await operator.ended).toEqual({ how: 'killed' });
        };
        const atWrite = (side: 'before' | 'after', write: number) => async (): Promise<void> => {
          const kill = { side, write, from: 'first' } as const;
          expect(await bench.operators.run('rollback', { kill })).toEqual({ how: 'killed' });
        };
        // Of the writes the first says since when blue runs, the second opens the rollback.
        for (const die of [whileStarting, atWrite('before', 1), atWrite('after', 1), atWrite('before', 2)]) {
          for (const verb of ['verify', 'switch'] as const) await bench.verb(verb);
          await requireResting(bench, 'switched');
          await served(workload);
          await die();
          await bench.settled({ state: 'switched', live: 'green', closing: null });
          await served(workload);
          await back(bench, workload);
        }
        // Where nobody goes back after all, the release ends as ever.
        for (const verb of ['verify', 'switch'] as const) await bench.verb(verb);
        await atWrite('before', 1)();
        await bench.harvest();
        await bench.verb('retire');
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
