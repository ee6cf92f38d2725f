import { expect, test } from 'vitest';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { Cluster, type Stored } from '../../src/platform/kubernetes/cluster.ts';
import { waitFor } from '../../src/model/wait.ts';
import { createKubernetes } from '../../src/platform/kubernetes/lifecycle/create.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { untilReady } from '../../src/platform/kubernetes/pod-waits.ts';
import { Reach } from '../../src/platform/kubernetes/reach.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import {
  type Client,
  type ConnectionSettings,
  one,
  rows,
  withClient,
  withPooledSession,
} from '../../src/postgres/client.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { clusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';

const secret = (name: string, data: Record<string, string>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: data,
});

interface Legacy {
  readonly args?: readonly string[];
  readonly labels?: Record<string, string>;
  readonly path?: { readonly PGDATA: string; readonly subPath?: string };
}

/** A database as somebody's plain manifests make it, with its own names, labels and layout; filled, with two roles. */
async function legacy(
  { admin, operator, name: namespace }: TestNamespace,
  { args = ['-c', 'wal_level=logical'], labels = {}, path = { PGDATA: '/data/db', subPath: 'postgres' } }: Legacy = {},
): Promise<void> {
  const own = { app: 'ledger-db' };
  const { subPath, PGDATA } = path;
  const manifests: Manifest[] = [
    secret('ledger-db', { 'postgres-password': 'owner-password' }),
    secret('ledger-app', { password: 'app-password' }),
    secret('ledger-report', { pw: 'report-password' }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'ledger-db' },
      spec: { selector: own, ports: [{ name: 'pg', port: 5432, targetPort: 'pg' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'ledger-db', labels: { ...own, ...labels } },
      spec: {
        serviceName: 'ledger-db',
        replicas: 1,
        selector: { matchLabels: own },
        template: {
          metadata: { labels: own },
          spec: {
            securityContext: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
            containers: [
              {
                name: 'db',
                image: 'postgres:15',
                imagePullPolicy: 'IfNotPresent',
                args: ['postgres', ...args],
                ports: [{ name: 'pg', containerPort: 5432 }],
                env: [
                  { name: 'PGDATA', value: PGDATA },
                  { name: 'POSTGRES_USER', value: 'owner' },
                  { name: 'POSTGRES_DB', value: 'shop' },
                  {
                    name: 'POSTGRES_PASSWORD',
                    valueFrom: { secretKeyRef: { name: 'ledger-db', key: 'postgres-password' } },
                  },
                ],
                readinessProbe: { exec: { command: ['pg_isready', '-h', '127.0.0.1'] }, periodSeconds: 1 },
                volumeMounts: [{ name: 'disk', mountPath: '/data', ...(subPath === undefined ? {} : { subPath }) }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'disk' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  ];
  // Bound beforehand: a pod that comes before its volume is tried again only minutes later.
  await admin.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'disk-ledger-db-0', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await waitFor(
    async () =>
      (await admin.read<Stored & { status?: { phase?: string } }>('PersistentVolumeClaim', 'disk-ledger-db-0'))?.status
        ?.phase === 'Bound'
        ? true
        : undefined,
    { limit: 60_000, every: 100, what: 'the claim bound', next: 'see the storage driver' },
  );
  for (const manifest of manifests) await admin.apply({ ...manifest, metadata: { ...manifest.metadata, namespace } });
  await untilReady(admin, 'ledger-db-0', { limit: 300_000, next: 'see its log' });
  await asOwner({ operator, name: namespace }, async (client) => {
    await client.query(
      "CREATE ROLE shop_app LOGIN PASSWORD 'app-password'; CREATE ROLE shop_reader LOGIN PASSWORD 'report-password'",
    );
    await client.query(
      `CREATE TABLE public.kept (id int PRIMARY KEY, text text NOT NULL);
        INSERT INTO public.kept SELECT n, md5(n::text) FROM generate_series(1, 5000) n;
        GRANT SELECT ON public.kept TO shop_app, shop_reader`,
    );
    await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
  });
}

async function asOwner<T>(
  { operator, name }: Pick<TestNamespace, 'operator' | 'name'>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const cluster = Cluster.of(operator, name);
  const reach = new Reach(cluster);
  try {
    const settings: ConnectionSettings = {
      ...(await reach.address('ledger-db-0', 5432, '')),
      user: 'owner',
      password: 'owner-password',
      database: 'shop',
    };
    return await withClient(settings, 'owner', use);
  } finally {
    await reach.close();
    cluster.close();
  }
}

const declare = (namespace: string, adopt: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['shop_app'], readers: ['shop_reader'] },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
  live: 'blue',
  limits: { slotCreation: '10s', snapshot: '5m' },
  kubernetes: {
    namespace,
    storage: '1GiB',
    images: { pooler: process.env['VERDIGRIS_TEST_POOLER'] ?? 'test/pgbouncer:1.24' },
    settings: { shared_buffers: '64MB', autovacuum: 'off' },
    passwords: { shop_app: { secret: 'ledger-app' }, shop_reader: { secret: 'ledger-report', key: 'pw' } },
    adopt: {
      statefulSet: 'ledger-db',
      superuser: { user: 'owner', secret: 'ledger-db', key: 'postgres-password' },
      service: { name: 'ledger-db' },
      ...adopt,
    },
    ...more,
  },
});

async function adopting(namespace: TestNamespace, raw: ReturnType<typeof declare>): Promise<unknown> {
  const environment = parseEnvironment(raw, 'the test');
  const platform = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
  try {
    return await createKubernetes(environment, platform, { raw });
  } finally {
    await platform.close();
  }
}

interface ServiceObject extends Stored {
  readonly spec: { readonly selector: Record<string, string>; readonly clusterIP: string };
}

async function pod({ admin }: TestNamespace): Promise<unknown> {
  const found = await admin.read<Stored & { status: { containerStatuses: { restartCount: number }[] } }>(
    'Pod',
    'ledger-db-0',
  );
  return { uid: found?.metadata.uid, restarts: found?.status.containerStatuses[0]?.restartCount };
}

/** By the Service that the database had before. */
async function throughOldService({ admin }: TestNamespace): Promise<unknown> {
  const service = await admin.read<ServiceObject>('Service', 'ledger-db');
  return withPooledSession(
    { host: service?.spec.clusterIP ?? '', port: 5432, user: 'shop_app', password: 'app-password', database: 'shop' },
    'old way',
    (client) =>
      one(
        client,
        "SELECT current_setting('cluster_name') AS name, pg_is_in_recovery() AS recovering, (SELECT count(*)::int FROM kept) AS kept",
      ),
  );
}

async function walk(
  { verb }: ClusterEnvironment,
  workload: Parameters<Parameters<ClusterEnvironment['clients']>[0]>[0],
  ...verbs: readonly ('seed' | 'migrate' | 'verify' | 'switch' | 'rollback')[]
): Promise<void> {
  for (const each of verbs) {
    await verb(each);
    const { acknowledged } = workload.stats();
    await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
  }
}

test('a database of plain manifests is adopted as it runs, released under load, rolled back to without loss, and let go as it is', async () => {
  await withNamespace({}, async (namespace) => {
    await legacy(namespace);
    const before = await pod(namespace);
    await clusterEnvironment(namespace, declare(namespace.name), {}, async (env) => {
      const { clients, platform, verb, on } = env;
      expect(await pod(namespace)).toEqual(before);
      expect(await throughOldService(namespace)).toEqual({ name: '', recovering: false, kept: 5000 });
      const { verdict } = await clients(async (workload) => {
        await walk(env, workload, 'seed', 'migrate', 'verify', 'switch');
        expect(await throughOldService(namespace)).toEqual({ name: 'shop-green', recovering: false, kept: 5000 });
        await walk(env, workload, 'rollback');
        expect(await throughOldService(namespace)).toEqual({ name: '', recovering: false, kept: 5000 });
        await walk(env, workload, 'verify', 'switch');
        await verb('retire');
      });
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
      expect(await pod(namespace)).toEqual(before);
      expect(await platform.servers.observe('blue')).toBeUndefined();
      expect(await asOwnerFails(namespace)).toMatch(/not permitted to log in/);
      // The next release makes a colour of our own where the adopted one was.
      const next = {
        ...env.environment,
        colours: { blue: { release: '3', postgres: 15 }, green: { release: '2', postgres: 15 } },
        live: 'green',
      } as typeof env.environment;
      await env.as(next, 'seed');
      expect(await on('blue', (client) => one(client, "SELECT current_setting('cluster_name') AS name"))).toEqual({
        name: 'shop-blue',
      });
      expect((await namespace.admin.read<ServiceObject>('Service', 'ledger-db'))?.spec.selector).toMatchObject({
        'verdigris.dev/colour': 'green',
      });
    });
  });
});

async function asOwnerFails(namespace: TestNamespace): Promise<string> {
  return asOwner(namespace, () => Promise.resolve('it may')).catch((error: unknown) => (error as Error).message);
}

test('what a release could not start from is refused politely, all at once, and nothing was changed', async () => {
  await withNamespace({}, async (namespace) => {
    await legacy(namespace, { args: ['-c', 'wal_level=replica'] });
    await namespace.admin.apply(secret('ledger-report', { pw: 'wrong' }));
    const problem = await adopting(namespace, declare(namespace.name, { service: { name: 'nobody' } })).catch(
      (error: unknown) => error,
    );
    expect(problem).toMatchObject({ code: 'refused', id: 'adoption-refused' });
    const { seen } = problem as { seen: string };
    for (const part of [
      "wal_level = 'logical'",
      'shop_reader cannot log in with the password in the Secret ledger-report, key pw',
      `Service ${namespace.name}/nobody is not there`,
    ])
      expect(seen).toContain(part);
    expect(
      await asOwner(namespace, (client) =>
        rows(
          client,
          "SELECT rolname FROM pg_roles WHERE rolname LIKE 'verdigris%' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'verdigris'",
        ),
      ),
    ).toEqual([]);
    for (const kind of ['ConfigMap', 'Secret', 'Deployment', 'Service'] as const)
      expect(await namespace.admin.list(kind, { 'app.kubernetes.io/instance': 'shop' })).toEqual([]);

    await expect(
      adopting(namespace, declare(namespace.name, { superuser: { user: 'owner', secret: 'ledger-app' } })),
    ).rejects.toMatchObject({
      id: 'wrong-password',
      seen: expect.stringContaining('/ledger-app, key password') as unknown,
    });
    await expect(
      adopting(namespace, declare(namespace.name, { superuser: { user: 'owner', secret: 'ledger-db', key: 'pass' } })),
    ).rejects.toMatchObject({
      id: 'secret-key-missing',
      seen: expect.stringContaining('ledger-db has no key pass; it has postgres-password') as unknown,
    });
    await expect(adopting(namespace, declare(namespace.name, { statefulSet: 'nothing' }))).rejects.toMatchObject({
      id: 'adoption-refused',
      seen: expect.stringContaining('StatefulSet nothing') as unknown,
    });
    await namespace.admin.merge('StatefulSet', 'ledger-db', {
      metadata: { labels: { 'postgres-operator.crunchydata.com/cluster': 'ledger' } },
    });
    await expect(adopting(namespace, declare(namespace.name))).rejects.toMatchObject({
      id: 'adoption-refused',
      seen: expect.stringMatching(/belongs to Crunchy PGO[\s\S]*What works instead/) as unknown,
    });
  });
});
