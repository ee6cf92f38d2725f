import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { expect, test } from 'vitest';
import { approve } from '../../src/delivery/persons.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { argoRollouts } from '../migrations/tools/tools.ts';
import { served } from '../faults/support.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { withClusterBench, type ClusterBench } from './support/faults.ts';
import { productImage } from './support/image.ts';
import { declareGreen, installChart, softwareErrors, walked } from './support/walking.ts';

interface Rollout {
  readonly status?: {
    readonly phase?: string;
    readonly abort?: boolean;
    readonly currentStepIndex?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

const delivery = {
  steps: ['approve', 'seed', 'migrate', 'verify', 'switch', { step: 'watch 1h', metrics: ['software'] }],
  metrics: { software: softwareErrors.metric },
};

/** Milliseconds for a step of the rollout: pods of the example start, on a machine that others use too. */
const limit = 300_000;

test(
  'a Rollout of the real Argo Rollouts waits at its first step until the writes have moved, and goes back when the database is rolled back by itself',
  { timeout: 1_800_000 },
  async () => {
    const fill = async (client: { query(text: string): Promise<unknown> }): Promise<void> =>
      void (await client.query(softwareErrors.table));
    await withClusterBench({ guard: false, fill }, async (bench) => {
      await withArgoRollouts(bench, async () => {
        const rollout = async (): Promise<NonNullable<Rollout['status']>> =>
          (JSON.parse(await kubectl(bench, 'get', 'rollout', 'shop', '-o', 'json')) as Rollout).status ?? {};
        const environment = await declareGreen(bench, { release: '2' }, delivery);
        await installChart(bench, ['flags', 'controller']);
        await kubectl(bench, 'apply', '-f', await example(bench, '1'));
        // The first version of a Rollout has nothing to wait for.
        await until('the software of release 1', async () => (await rollout()).phase === 'Healthy', limit);
        await kubectl(bench, 'apply', '-f', await example(bench, '2'));
        await until('the Job that waits', async () => (await jobs(bench)).length > 0, limit);

        const { verdict } = await bench.exercise(async (workload) => {
          const { signal } = new AbortController();
          await approve({ environment, platform: bench.platform, emit: () => undefined, signal }, { by: 'the test' });
          let look = 0;
          await walked(
            bench,
            'the switchover',
            ({ live, operation }) => live === 'green' && operation === null,
            async ({ live }) => {
              if (live !== 'blue' || Date.now() < look) return;
              look = Date.now() + 3_000;
              // Not one pod of the new software before the writes have moved.
              expect(await rollout()).toMatchObject({ currentStepIndex: 0 });
            },
          );
          await served(workload);
          const there = await until(
            'a pod of the new software',
            async () => {
              const now = await rollout();
              return (now.currentStepIndex ?? 0) >= 2 && (now.updatedReplicas ?? 0) > 0 && now;
            },
            limit,
          );
          expect(there.abort).toBeUndefined();

          // The new software fails, and says so.
          await bench.on('green', (client) => client.query('INSERT INTO software_error VALUES (1)'));
          const back = await walked(
            bench,
            'the rollback of the database by itself',
            ({ live, operation, delivery: walk }) => live === 'blue' && operation === null && walk?.ended !== undefined,
          );
          expect(back).toMatchObject({ state: 'migrated', delivery: { ended: { outcome: 'rolled back' } } });
          const aborted = await until(
            'the rollout gone back',
            async () => {
              const now = await rollout();
              return now.abort === true && (now.updatedReplicas ?? 0) === 0 && now;
            },
            limit,
          );
          expect(aborted.phase).toBe('Degraded');
          await served(workload);
        });
        expect(verdict).toMatchObject(good);
        expect(bench.commits.map(({ to }) => to)).toEqual(['green', 'blue']);
      });
    });
  },
);

async function kubectl({ namespace }: ClusterBench, ...args: string[]): Promise<string> {
  return (await execa('kubectl', ['-n', namespace.name, ...args])).stdout;
}

async function jobs(bench: ClusterBench): Promise<unknown[]> {
  const { items } = JSON.parse(await kubectl(bench, 'get', 'jobs', '-o', 'json')) as {
    items: { status: { active?: number } }[];
  };
  return items.filter(({ status }) => status.active);
}

/** The example of the documentation, with the images and names of this test; `release` is what its software needs. */
async function example(bench: ClusterBench, release: string): Promise<string> {
  const { name } = bench.namespace;
  const image = await productImage();
  const { stdout: flags } = await execa('kubectl', [
    '-n',
    name,
    'get',
    'service',
    'shop-flags',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
  const text = (await readFile('examples/gitops/argo-rollouts.yaml', 'utf8'))
    // The controller is a process of this machine, which has the cluster's addresses and not its names.
    .replace('url: "http://shop-flags.shops.svc', `url: "http://${flags}`)
    .replaceAll('shop-flags.shops.svc', `shop-flags.${name}.svc`)
    .replaceAll('namespace: shops', `namespace: ${name}`)
    .replaceAll('registry.example/verdigris:0.1.0', image)
    .replaceAll('value: "42"', `value: "${release}"`)
    .replace('image: registry.example/shop:42', `image: ${image}\n          command: [sleep, infinity]`)
    .replace('metadata: { labels: { app: shop } }', `metadata: { labels: { app: shop, release: "${release}" } }`)
    .replace('replicas: 4', 'replicas: 2');
  expect(parseAllDocuments(text)).toHaveLength(3);
  const file = path.join(bench.folder, `rollout-${release}.yaml`);
  await writeFile(file, text);
  return file;
}

/** The real controller, by its Go module, as a process beside the cluster, for this namespace alone. */
async function withArgoRollouts({ namespace }: ClusterBench, use: () => Promise<void>): Promise<void> {
  const folder = await argoRollouts();
  const crds = ['analysis-run', 'analysis-template', 'cluster-analysis-template', 'experiment', 'rollout'].flatMap(
    (kind) => ['-f', path.join(folder, `source/manifests/crds/${kind}-crd.yaml`)],
  );
  await execa('kubectl', ['apply', '--server-side', '--force-conflicts', ...crds]);
  const ports = ['--metricsport', String(await freePort()), '--healthzPort', String(await freePort())];
  const controller = execa(
    path.join(folder, 'rollouts-controller'),
    ['--namespaced', '--namespace', namespace.name, '--leader-elect=false', '--loglevel', 'warn', ...ports],
    { reject: false, all: true, maxBuffer: 4_000_000 },
  );
  try {
    await use();
  } catch (error) {
    controller.kill();
    console.error((await controller).all?.slice(-4_000));
    throw error;
  } finally {
    controller.kill();
    await controller;
    await execa('kubectl', ['delete', '--wait=false', ...crds], { reject: false });
  }
}
