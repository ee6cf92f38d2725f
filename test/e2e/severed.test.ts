import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { operationOf } from '../../src/operations/table.ts';
import { Forwarder } from '../faults/forwarder.ts';
import { Operators, untilStopped } from '../faults/operators.ts';
import { served } from '../faults/support.ts';
import { until } from '../support/until.ts';
import { nothing, withClusterBench, type ClusterBench } from './support/faults.ts';
import { administrator } from './support/namespace.ts';

/** Milliseconds for which the operator reaches neither the API server nor, through it, a server or a pooler. */
const outage = 2_000;

/** Operators whose way to the cluster can be severed. */
async function withWay(
  { namespace, folder }: ClusterBench,
  use: (operators: Operators, way: Forwarder) => Promise<void>,
): Promise<void> {
  const { host, port } = new URL(administrator().getCurrentCluster()?.server ?? '');
  const way = await Forwarder.to(Number(port));
  const kubeconfig = namespace.operator.exportConfig().replace(host, `127.0.0.1:${way.port}`);
  const operators = new Operators(path.join(folder, 'declaration.json'), { kind: 'kubernetes', kubeconfig });
  try {
    await use(operators, way);
  } finally {
    await operators.close();
    way.close();
  }
}

const { start, complete } = operationOf('switch', { early: true });
const steps = [...start, ...complete].map(({ id }) => id);

test(
  'an operator cut off from the cluster for a moment, at each step of a switchover: clients are served, one colour is live, the command goes on',
  { timeout: 1_800_000 },
  async () => {
    await withClusterBench({ guard: true }, async (bench) => {
      const { verb, journal, harvest } = bench;
      const { verdict } = await bench.exercise(async (workload) => {
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        await withWay(bench, async (operators, way) => {
          for (const step of steps) {
            const operator = await operators.start('switch', { stopAt: { step, status: 'started' } });
            await untilStopped(operator, 60_000);
            way.sever();
            // What of it has begun is known before the guards begin it again.
            await harvest();
            process.kill(operator.pid, 'SIGCONT');
            await sleep(outage);
            way.heal();
            const ended = await operator.ended;
            if (ended.how === 'failed')
              expect(['none', 'unexpected'], `${step}: ${ended.error.seen}`).not.toContain(ended.error.id);
            else expect(ended.how, step).toBe('done');
            await served(workload);
            await until(
              `the end of the switchover that was cut off at ${step}`,
              async () => (await journal()).operation === null || (await bench.recover().catch(() => undefined), false),
              60_000,
            );
            const { state } = await journal();
            expect(state, step).toBe(start.some(({ id }) => id === step) ? 'verified' : 'switched');
            await harvest();
            if (state === 'switched') for (const each of ['rollback', 'verify'] as const) await verb(each);
            await harvest();
          }
        });
        await verb('switch');
        await harvest();
        await verb('retire');
      });
      expect(verdict).toMatchObject({ ok: true });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
