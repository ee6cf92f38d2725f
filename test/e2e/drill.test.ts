import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Kind } from '../../src/manifests/manifest.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { served } from '../faults/support.ts';
import { answerOf } from './support/answer.ts';
import { nothing, withClusterBench, type ClusterBench } from './support/faults.ts';
import { until } from '../support/until.ts';

type JobObject = Stored & { readonly status?: { readonly succeeded?: number; readonly failed?: number } };
interface EventObject extends Stored {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

/** What Prometheus would be told, by the Service. */
async function scrape({ namespace: { admin } }: ClusterBench): Promise<string> {
  const service = await admin.read<Stored & { spec: { clusterIP: string } }>('Service', 'shop-metrics');
  return answerOf(`http://${service?.spec.clusterIP}:9464/metrics`);
}

/** One, by name: the cluster is asked, as whom the exporter runs. */
async function expectSecretsOfMetrics({ namespace: { name, admin } }: ClusterBench): Promise<void> {
  const as = ['--as', `system:serviceaccount:${name}:shop-metrics`, '-n', name];
  const may = async (verb: string, what: string) =>
    (await execa('kubectl', ['auth', 'can-i', verb, what, ...as], { reject: false })).stdout;
  const secrets = (await admin.list('Secret', {})).map(({ metadata }) => metadata.name);
  expect(secrets).toEqual(
    expect.arrayContaining(['shop-operator', 'shop-reader', expect.stringMatching(/^shop-role-shop-app-/)]),
  );
  const read = await Promise.all(
    secrets.map(async (each) => ((await may('get', `secret/${each}`)) === 'yes' ? [each] : [])),
  );
  expect(read.flat()).toEqual(['shop-reader']);
  expect(await may('list', 'secrets')).toBe('no');
}

/** Everything that a throw-away environment is made of. */
async function cloneObjects({ namespace: { admin } }: ClusterBench): Promise<string[]> {
  const kinds: Kind[] = [
    'StatefulSet',
    'Deployment',
    'PersistentVolumeClaim',
    'VolumeSnapshot',
    'Service',
    'Secret',
    'ConfigMap',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Lease',
  ];
  const found = await Promise.all(
    kinds.map(async (kind) =>
      (await admin.list(kind, { 'app.kubernetes.io/managed-by': 'verdigris' })).map(
        ({ metadata }) => `${kind} ${metadata.name}`,
      ),
    ),
  );
  return found.flat().filter((each) => each.includes(' drill-'));
}

test(
  "a scheduled drill runs in the product's image with a role of its own; Event, metric and report tell of it, and nothing is left",
  { timeout: 1_800_000 },
  async () => {
    await withClusterBench(
      {
        guard: true,
        namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
        declaration: { colours: { blue: { release: '1', postgres: 15 } } },
        kubernetes: { drill: { schedule: '0 4 1 1 *' }, metrics: { enabled: true } },
      },
      async (bench) => {
        const {
          namespace: { admin, name: namespace },
          platform,
        } = bench;
        await until(
          'the metrics',
          async () => (await scrape(bench).catch(() => '')).includes('verdigris_observed{'),
          600_000,
        );
        const before = await scrape(bench);
        expect(before).toMatch(/^verdigris_state\{state="single",environment="shop"\} 1$/m);
        expect(before).not.toContain('verdigris_drill_success{');
        await expectSecretsOfMetrics(bench);
        expect(before).toMatch(/^verdigris_colour_up\{colour="blue",role="live",environment="shop"\} 1$/m);
        expect(before).toMatch(/^verdigris_path_up\{environment="shop"\} 1$/m);
        const { verdict } = await bench.exercise(async (workload) => {
          await execa('kubectl', ['create', 'job', '--namespace', namespace, '--from=cronjob/shop-drill', 'now']);
          const job = await until(
            'the end of the drill',
            async () => {
              const { status } = (await admin.read<JobObject>('Job', 'now')) ?? {};
              return status?.succeeded || status?.failed ? status : undefined;
            },
            1_700_000,
          );
          const { stdout } = await execa('kubectl', ['logs', '--namespace', namespace, '--tail=30', 'job/now']);
          expect(job, stdout).toMatchObject({ succeeded: 1 });
          await served(workload);
        });
        expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
        const report = (await platform.drills.list()).at(-1);
        expect(report).toMatchObject({
          ok: true,
          proved: ['seed', 'migrate', 'verify', 'gates', 'exercise'],
        });
        const events = await admin.list<EventObject>('Event', { 'app.kubernetes.io/component': 'drill' });
        expect(
          events.map(({ reason, type, involvedObject: { kind, name } }) => ({ reason, type, kind, name })),
        ).toEqual([{ reason: 'DrillHeld', type: 'Normal', kind: 'CronJob', name: 'shop-drill' }]);
        expect(events[0]?.message).toContain('switchover and rollback under load');
        expect(await scrape(bench)).toMatch(/^verdigris_drill_success\{environment="shop"\} 1$/m);
        await bench.settled({ state: 'single', live: 'blue', release: null });
        expect(await bench.leftovers()).toEqual(nothing);
        await until('the clones gone', async () => (await cloneObjects(bench)).length === 0, 300_000);
      },
    );
  },
);
