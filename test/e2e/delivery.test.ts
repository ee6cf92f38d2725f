import { execa } from 'execa';
import { expect, test } from 'vitest';
import { indexDropped, slowStatement } from '../delivery/support.ts';
import { served } from '../faults/support.ts';
import type { Journal } from '../../src/model/journal.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient, withPooledSession } from '../../src/postgres/session.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { productImage } from './support/image.ts';
import { runInPod } from './support/run-pod.ts';
import { nothing, withClusterBench, type ClusterBench } from './support/faults.ts';
import { declareGreen, installChart, killControllers, softwareErrors, walked } from './support/walking.ts';

const often = { interval: '1s', count: 1 };

/** Limits of Jobs: their pods start on a machine that others use too. */
const patient = '300s';

const delivery = (image: string) => ({
  steps: [
    ...['seed', 'migrate', 'verify'],
    { step: 'analysis', metrics: ['latency', 'smoke'], onFailure: 'abandon' },
    ...['approve', 'switch'],
    { step: 'watch 5s', metrics: ['software', 'lag'] },
    'retire',
  ],
  metrics: {
    latency: { ready: 'latency', ...often, samples: 60, tolerance: 0.5, statements: [slowStatement] },
    smoke: { job: { image, command: ['sh', '-c', 'test "$VERDIGRIS_LIVE" = blue'] }, ...often, timeout: patient },
    lag: { ready: 'lag', ...often },
    software: softwareErrors.metric,
  },
});

/** The software's flags, in a ConfigMap that flagd mounts. */
const flags = {
  flags: { checkout: { release: '3' } },
  flagStores: { mounted: { configMap: { name: 'shop-flags', key: 'flags.json', format: 'flagd' } } },
};

/** Asked by a Job before the switchover: it refuses whatever it is not told right. */
const hooks = (image: string) => ({
  asked: {
    before: ['switch'],
    blocking: true,
    limit: patient,
    job: { image, command: ['sh', '-c', 'echo "$VERDIGRIS_EVENT" | grep -q dev.verdigris.before.switch'] },
  },
});

test(
  'installed by helm, controllers stop a release whose migration dropped an index, and walk the next one to its end though their pods die at every verb',
  { timeout: 1_800_000 },
  async () => {
    const { fill: filled, ...migrations } = indexDropped;
    const fill: typeof filled = async (client) => {
      await filled?.(client);
      await client.query(softwareErrors.table);
    };
    const image = await productImage();
    const declaration = { hooks: hooks(image), ...flags };
    await withClusterBench({ guard: false, fill, declaration }, async (bench) => {
      const ended = (release: string) => (journal: Journal) =>
        journal.delivery?.to === release && journal.delivery.ended !== undefined && journal.operation === null;
      const { verdict } = await bench.exercise(async (workload) => {
        const empty = '--from-literal=flags.json={ "flags": {} }';
        await execa('kubectl', ['create', 'configmap', '-n', bench.namespace.name, 'shop-flags', empty]);
        await declareGreen(bench, { release: '2', ...migrations }, delivery(image));
        await installChart(bench, ['metrics', 'dashboard', 'controller']);
        const slow = await walked(bench, 'the end of the slow release', ended('2'));
        expect(slow).toMatchObject({ state: 'single', live: 'blue', delivery: { ended: { outcome: 'abandoned' } } });
        expect(slow.delivery?.verdicts).toMatchObject([{ verdict: 'failure', metrics: { latency: { failure: 1 } } }]);
        await served(workload);

        await declareGreen(bench, { release: '3' }, delivery(image));
        await killControllers(bench, 'all');
        const kills = new Map([
          ['seed', 'all'],
          ['migrate', 'holder'],
          ['verify', 'all'],
          ['switch', 'holder'],
          ['retire', 'all'],
        ] as const);
        const died: string[] = [];
        const kill = async ({ operation, delivery: now }: Journal): Promise<void> => {
          const verb = operation?.verb as Parameters<typeof kills.get>[0] | undefined;
          const which = verb && now?.to === '3' ? kills.get(verb) : undefined;
          if (!verb || !which || (await killControllers(bench, which)).length === 0) return;
          kills.delete(verb);
          died.push(verb);
        };
        const waiting = await walked(
          bench,
          'the approval',
          ({ delivery: now }) => now?.waits === 'waits for `verdigris approve`',
          kill,
        );
        expect(await variant(bench)).toBe('off');
        await annotate(bench, 'another release');
        await annotate(bench, waiting.delivery?.digest ?? '');
        const next = await walked(bench, 'the end of the good release', ended('3'), kill);
        console.log(`controllers died in: ${died.join(', ')}`);
        expect(died).toEqual(expect.arrayContaining(['seed', 'verify']));
        await until('the flag', async () => (await variant(bench)) === 'on');
        expect(next.delivery?.approvals).toMatchObject([{ by: 'ann, by annotation' }]);
        expect(next).toMatchObject({ state: 'single', live: 'green', delivery: { ended: { outcome: 'released' } } });
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      expect(bench.commits.map(({ to }) => to)).toEqual(['green']);
      expect((await bench.platform.history.list()).map(({ to, outcome }) => [to, outcome])).toEqual([
        ['2', 'abandoned'],
        ['3', 'released'],
      ]);
      await dashboardOnlyLooks(bench);
      await archiveRestored(bench);
      await execa('kubectl', ['delete', 'deployment', '-n', bench.namespace.name, 'shop-delivery', '--wait']);
      expect(await bench.leftovers()).toEqual({ ...nothing, snapshots: ['archive-1'] });
    });
  },
);

/** With what its pod really has: its service account, and the password in the Secret that it may read. */
async function dashboardOnlyLooks({ namespace, environment, platform }: ClusterBench): Promise<void> {
  const service = await namespace.admin.read<Stored & { spec: { clusterIP: string } }>('Service', 'shop-dashboard');
  const page = async (path: string) => fetch(`http://${service?.spec.clusterIP}:9465${path}`);
  expect(await (await page('/e/shop.json')).json()).toMatchObject({ status: { live: 'green', state: 'single' } });
  expect((await page('/')).headers.get('content-security-policy')).toContain("default-src 'none'");
  const as = ['--as', `system:serviceaccount:${namespace.name}:shop-dashboard`, '-n', namespace.name];
  for (const resource of ['configmaps', 'secrets', 'pods', 'pods/exec', 'statefulsets', 'leases', 'jobs', 'roles'])
    for (const verb of ['create', 'update', 'patch', 'delete'])
      expect((await execa('kubectl', ['auth', 'can-i', verb, resource, ...as], { reject: false })).stdout).toBe('no');
  expect(
    (await execa('kubectl', ['auth', 'can-i', 'get', 'secret/shop-operator', ...as], { reject: false })).stdout,
  ).toBe('no');
  expect((await execa('kubectl', ['auth', 'can-i', 'get', 'secret/shop-reader', ...as])).stdout).toBe('yes');
  const login = { ...(await platform.servers.readerConnection('green')), database: environment.database };
  await withClient(login, 'test', async (client) => {
    expect(await rows(client, 'SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user')).toEqual([
      { rolsuper: false, rolcreaterole: false },
    ]);
    await client.query('SET default_transaction_read_only = off');
    for (const write of [
      'INSERT INTO software_error VALUES (1)',
      'CREATE TABLE public.mine (id int)',
      'DELETE FROM goods',
    ])
      await expect(client.query(write), write).rejects.toMatchObject({ code: '42501' });
  });
}

async function variant({ namespace }: ClusterBench): Promise<string | undefined> {
  const map = await namespace.admin.read<Stored & { data: Record<string, string> }>('ConfigMap', 'shop-flags');
  const { flags: seen } = JSON.parse(map?.data['flags.json'] ?? '') as {
    flags: Record<string, { defaultVariant: string } | undefined>;
  };
  return seen['checkout']?.defaultVariant;
}

/** `verdigris approve` by whoever may write the declaration's ConfigMap. */
async function annotate({ namespace }: ClusterBench, digest: string): Promise<void> {
  const words = [`verdigris.dev/approve=${digest}`, 'verdigris.dev/approved-by=ann'];
  await execa('kubectl', ['annotate', '--overwrite', '-n', namespace.name, 'configmap', 'shop-declaration', ...words]);
}

/** What retire kept of release 1, by one command, as an environment of its own. */
async function archiveRestored(bench: ClusterBench): Promise<void> {
  const { journal, platform, environment } = bench;
  expect((await journal()).archives).toMatchObject([{ name: 'archive-1', release: '1', colour: 'blue' }]);
  const listed = await runInPod(bench, 'archives', ['archives']);
  expect(listed.output).toContain('"there":true');
  const restored = await runInPod(bench, 'restore', ['archives', '--restore', 'archive-1', '--as', 'shop-old']);
  expect(restored, restored.output).toMatchObject({ exitCode: 0 });
  const old = platform.sibling({ ...environment, name: 'shop-old' });
  try {
    const login = { ...(await old.servers.connection('blue')), database: environment.database };
    const counted = await withClient(login, 'test', (client) => rows(client, 'SELECT count(*)::int AS n FROM goods'));
    expect(counted).toEqual([{ n: 50_000 }]);
    // What was fenced there is no longer: its software writes, by a password of its own.
    const [replica] = await old.poolers.required();
    if (!replica) throw new Error('there is a pooler');
    const software = await old.poolers.client(replica, 'shop_app', environment.database);
    await withPooledSession(software, 'test', (client) => client.query('INSERT INTO software_error VALUES (7)'));
  } finally {
    await old.close();
  }
}
