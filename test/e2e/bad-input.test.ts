import { expect, test } from 'vitest';
import type { Kind, Manifest } from '../../src/manifests/manifest.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../src/platform/kubernetes/lifecycle/create.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import { administrator, withNamespace, type TestNamespace } from './support/namespace.ts';
import { withClusterEnvironment } from './support/environment.ts';
import { withoutGroup } from './support/without-group.ts';

const declare = (namespace: string, kubernetes: Record<string, unknown> = {}) => ({
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['shop_app'] },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
  live: 'blue',
  limits: { snapshot: '2m' },
  kubernetes: {
    namespace,
    storage: '1GiB',
    images: { pooler: 'test/pgbouncer:1.24' },
    settings: { shared_buffers: '64MB' },
    pooler: { replicas: 1 },
    ...kubernetes,
  },
});

/** What making this environment ends with. */
async function made(
  config: TestNamespace['operator'],
  raw: ReturnType<typeof declare>,
): Promise<Error & { id?: string; seen?: string; next?: string }> {
  const environment = parseEnvironment(raw, 'the test');
  const platform = new KubernetesPlatform(environment, Cluster.of(config, environment.kubernetes.namespace));
  try {
    return await createKubernetes(environment, platform, { raw }).then(
      () => new Error('it was made'),
      (error: unknown) => error as Error,
    );
  } finally {
    await platform.close();
  }
}

async function withClasses(manifests: readonly Manifest[], use: () => Promise<void>): Promise<void> {
  const admin = Cluster.of(administrator(), 'default');
  try {
    for (const manifest of manifests) await admin.apply(manifest);
    await use();
  } finally {
    for (const { kind, metadata } of manifests) await admin.delete(kind, metadata.name);
    admin.close();
  }
}

const nothingMade = async ({ admin }: TestNamespace): Promise<void> => {
  for (const kind of ['Secret', 'ConfigMap', 'StatefulSet', 'PersistentVolumeClaim', 'Service'] as Kind[])
    expect(await admin.list(kind, { 'app.kubernetes.io/instance': 'shop' }), kind).toEqual([]);
};

test('a namespace that does not exist, and a kubeconfig without rights: named before anything is made', async () => {
  expect(await made(administrator(), declare('vg-nowhere'))).toMatchObject({
    id: 'no-namespace',
    seen: expect.stringContaining('vg-nowhere') as unknown,
    next: expect.stringContaining('kubectl create namespace vg-nowhere') as unknown,
  });
  await withNamespace({}, async (one) => {
    await withNamespace({}, async (other) => {
      const problem = await made(one.operator, declare(other.name));
      expect(problem).toMatchObject({ id: 'cluster-unfit' });
      for (const part of [other.name, 'create, update, patch, delete statefulsets.apps', 'docs/kubernetes.md'])
        expect(problem.seen).toContain(part);
      await nothingMade(other);
    });
  });
});

test('classes: one that is not there, of another driver, of a driver without snapshots, none that is the default', async () => {
  const name = 'vg-odd';
  const classes: Manifest[] = [
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner: 'odd.example' },
    {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: { name },
      driver: 'other.example',
      deletionPolicy: 'Delete',
    },
  ];
  await withNamespace({}, async (namespace) => {
    const asAdmin = (kubernetes: Record<string, unknown>) => made(administrator(), declare(namespace.name, kubernetes));
    await withClasses(classes, async () => {
      const says = async (kubernetes: Record<string, unknown>, ...parts: string[]): Promise<void> => {
        const problem = await asAdmin(kubernetes);
        expect(problem).toMatchObject({ id: 'cluster-unfit' });
        for (const part of parts) expect(problem.seen).toContain(part);
      };
      await says({ storageClass: 'nothing' }, 'the StorageClass nothing is not there', 'standard (');
      await says({ snapshotClass: 'nothing' }, 'the VolumeSnapshotClass nothing is not there', 'standard (');
      await says({ snapshotClass: name }, `the VolumeSnapshotClass ${name} is of the driver other.example`);
      await says({ storageClass: name }, 'of the driver odd.example, for which there is no VolumeSnapshotClass');
      // A driver of its own whose only class is no default: the same as a cluster without a default class, for this
      // driver.
      await withClasses(
        [
          {
            apiVersion: 'snapshot.storage.k8s.io/v1',
            kind: 'VolumeSnapshotClass',
            metadata: { name: 'vg-odd-2' },
            driver: 'odd.example',
            deletionPolicy: 'Delete',
          },
        ],
        () =>
          says(
            { storageClass: name },
            'none of the driver odd.example is the default',
            'kubernetes.snapshotClass',
            'vg-odd-2',
          ),
      );
    });
    await nothingMade(namespace);
  });
});

test('routes of Istio in a cluster without it', async () => {
  await withNamespace({}, async (namespace) => {
    await withoutGroup(administrator(), '/apis/networking.istio.io', async (config) => {
      const problem = await made(config, declare(namespace.name, { istio: true }));
      expect(problem).toMatchObject({
        id: 'cluster-unfit',
        seen: expect.stringMatching(/has no Istio[\s\S]*istio: false: everything but the canary works/) as unknown,
      });
    });
    await nothingMade(namespace);
  });
});

test('too small a volume, an image without a tag: said by the declaration', () => {
  expect(() => parseEnvironment(declare('any', { storage: '64MiB' }), 'the test')).toThrow(
    /kubernetes\.storage: an empty cluster and its log need 256MiB/,
  );
  expect(() => parseEnvironment(declare('any', { images: { pooler: 'pgbouncer' } }), 'the test')).toThrow(
    /kubernetes\.images\.pooler/,
  );
});

test('images that cannot be pulled, and a quota that is too small: the object and the reason', async () => {
  await withNamespace({}, async (namespace) => {
    expect(
      await made(namespace.operator, declare(namespace.name, { quota: { persistentvolumeclaims: '0' } })),
    ).toMatchObject({ id: 'quota-exceeded', seen: expect.stringContaining('PersistentVolumeClaim') as unknown });
    await namespace.admin.delete('ResourceQuota', 'shop');
    expect(
      await made(
        namespace.operator,
        declare(namespace.name, {
          images: { pooler: 'test/pgbouncer:1.24', postgres: { 15: 'nowhere.invalid/postgres:15' } },
        }),
      ),
    ).toMatchObject({ id: 'pod-stuck', seen: expect.stringContaining('nowhere.invalid/postgres:15') as unknown });
    expect(
      await made(namespace.operator, declare(namespace.name, { images: { pooler: 'nowhere.invalid/pgbouncer:1' } })),
    ).toMatchObject({ id: 'pod-stuck', seen: expect.stringContaining('nowhere.invalid/pgbouncer:1') as unknown });
    // The same command goes on where the declaration is fixed.
    expect(await made(namespace.operator, declare(namespace.name))).toMatchObject({ message: 'it was made' });
  });
});

test("a Secret that lacks a key, a wrong password, a candidate's image that is not there: blue does not notice", async () => {
  await withClusterEnvironment(
    { kubernetes: { pooler: { replicas: 1 }, images: { pooler: 'test/pgbouncer:1.24' } } },
    async ({ namespace: { admin, operator, name }, raw, environment, on }) => {
      const fresh = async (
        change: (raw: Record<string, unknown>) => Record<string, unknown> = (same) => same,
      ): Promise<Error> => {
        const declared = parseEnvironment(change(raw as Record<string, unknown>), 'the test');
        const platform = new KubernetesPlatform(declared, Cluster.of(operator, name));
        try {
          const { withOperator } = await import('../../src/operations/operator.ts');
          const { perform } = await import('../../src/operations/perform.ts');
          return await withOperator(
            { environment: declared, platform, emit: () => undefined, signal: new AbortController().signal },
            'seed',
            (c) => perform(c, 'seed'),
          ).then(
            () => new Error('seeded'),
            (error: unknown) => error as Error,
          );
        } finally {
          await platform.close();
        }
      };
      const secret = (data: Record<string, unknown>) => admin.merge('Secret', 'shop-operator', { data });
      const kept =
        (
          await admin.read<{ data: Record<string, string> } & NonNullable<Awaited<ReturnType<typeof admin.read>>>>(
            'Secret',
            'shop-operator',
          )
        )?.data ?? {};
      await secret({ password: Buffer.from('wrong').toString('base64') });
      expect(await fresh()).toMatchObject({
        id: 'wrong-password',
        seen: expect.stringContaining(`Secret ${name}/shop-operator, key password`) as unknown,
      });
      await secret({ password: null });
      expect(await fresh()).toMatchObject({
        id: 'secret-key-missing',
        seen: expect.stringContaining(`Secret ${name}/shop-operator has no key password`) as unknown,
      });
      await secret({ password: kept['password'] });
      expect(environment.live).toBe('blue');
      // The candidate's image is only asked for once its pod is there; everything is undone.
      const bad = await fresh((same) => ({
        ...same,
        kubernetes: {
          ...(same['kubernetes'] as Record<string, unknown>),
          images: { pooler: 'test/pgbouncer:1.24', postgres: { 15: 'nowhere.invalid/postgres:15' } },
        },
      }));
      expect(bad).toMatchObject({
        id: 'pod-stuck',
        seen: expect.stringContaining('nowhere.invalid/postgres:15') as unknown,
      });
      expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
      expect((await admin.list('StatefulSet', {})).map(({ metadata }) => metadata.name)).toEqual(['shop-blue']);
    },
  );
});
