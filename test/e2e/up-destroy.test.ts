import { expect, test } from 'vitest';
import { Traffic } from '../../src/pulumi/components/traffic.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { waitFor } from '../../src/model/wait.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { isReady, type Pod } from '../../src/platform/kubernetes/pods.ts';
import { rows, withClient } from '../../src/postgres/client.ts';
import { withNamespace } from './support/namespace.ts';
import { openStack, small, versions, withStack } from './support/stack.ts';

test('an environment is protected; another stack takes it in; destroyed on purpose it leaves a last snapshot that can be restored', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declaration = small(namespace, 'shop', { kubernetes: { keptSnapshotClass: 'retain' } });
    const platform = new KubernetesPlatform(parseEnvironment(declaration, 'the test'), admin);
    await withStack(async (stack, declare, folder) => {
      declare(declaration);
      await stack.up();
      const superuser = await platform.servers.connection('blue');
      await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE kept AS SELECT 42 AS answer'),
      );
      await expect(stack.destroy()).rejects.toThrow(/protected/);
      expect(await platform.servers.observe('blue')).toMatchObject({ running: true });

      // Imported into another stack by its id, and there nothing is left to be done. The resource alone: not every
      // Kubernetes provider of tests can import.
      let taken = true;
      const { live, ...environment } = declaration as { live: 'blue' };
      const other = await openStack(folder, 'other', () => {
        const { state } = new Traffic('shop', { live, environment }, taken ? { import: `${namespace}/shop` } : {});
        return Promise.resolve({ state });
      });
      const before = await versions(admin);
      expect((await other.up()).outputs['state']?.value).toBe('single');
      taken = false;
      expect((await other.up()).summary.resourceChanges).toEqual({ same: 2 });
      const journal = (all: Record<string, string>) => all['ConfigMap shop-journal'];
      expect(journal(await versions(admin))).toBe(journal(before));

      declare(declaration, { onDestroy: 'remove' });
      await stack.up();
      const { stdout } = await stack.destroy();
      const name = /VolumeSnapshot (shop-last-\w+), class retain/.exec(stdout)?.[1] ?? 'not said';
      const left = await versions(admin);
      expect(Object.keys(left)).toEqual([`VolumeSnapshot ${name}`]);

      // As docs/kubernetes.md says: a claim of the snapshot holds a data directory that was shut down.
      await admin.create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'restored', namespace },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
        },
      });
      await admin.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'restored', namespace },
        spec: {
          securityContext: { runAsUser: 999, fsGroup: 999 },
          containers: [
            {
              name: 'postgres',
              image: 'postgres:15',
              imagePullPolicy: 'IfNotPresent',
              env: [{ name: 'PGDATA', value: '/data/pgdata' }],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'restored' } }],
        },
      });
      const answer = await waitFor(
        async () => {
          const pod = await admin.read<Pod>('Pod', 'restored');
          if (!pod || !isReady(pod) || pod.status?.podIP === undefined) return undefined;
          return withClient({ ...superuser, host: pod.status.podIP, port: 5432, database: 'shop' }, 'test', (client) =>
            rows(client, 'SELECT answer FROM kept'),
          ).catch((error: { code?: unknown }) =>
            error.code === '57P03' || error.code === 'ECONNREFUSED' ? undefined : Promise.reject(error as Error),
          );
        },
        { limit: 120_000, every: 200, what: 'the restored server', next: '' },
      );
      expect(answer).toEqual([{ answer: 42 }]);
    });
    await platform.close();
  });
}, 1_800_000);
