import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import type { Pod } from '../../src/platform/kubernetes/pods.ts';
import { rows, withClient } from '../../src/postgres/client.ts';
import { until } from '../support/until.ts';
import { withNamespace } from './support/namespace.ts';
import { prepared, small, versions, withStack } from './support/stack.ts';

test('a destroy in the middle of a release leaves one snapshot, and a server that is no publisher starts from it', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declaration = small(namespace, 'shop', { colours: prepared });
    const platform = new KubernetesPlatform(parseEnvironment(declaration, 'the test'), admin);
    await withStack(async (stack, declare) => {
      declare(small(namespace, 'shop'));
      await stack.up();
      const superuser = await platform.servers.connection('blue');
      await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE kept (answer int PRIMARY KEY); INSERT INTO kept VALUES (42)'),
      );
      declare(declaration, { onDestroy: 'remove' });
      expect((await stack.up()).outputs['state']?.value).toBe('verified');
      await stack.destroy();
      const left = Object.keys(await versions(admin));
      expect(left).toEqual([expect.stringMatching(/^VolumeSnapshot shop-last-\w+$/)]);
      await admin.create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'restored', namespace },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          dataSource: {
            apiGroup: 'snapshot.storage.k8s.io',
            kind: 'VolumeSnapshot',
            name: left[0]?.replace('VolumeSnapshot ', ''),
          },
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
      const answer = await until(
        'the restored server',
        async () => {
          const host = (await admin.read<Pod>('Pod', 'restored'))?.status?.podIP;
          if (host === undefined) return undefined;
          return withClient({ ...superuser, host, port: 5432, database: 'shop' }, 'test', (client) =>
            rows(client, 'SELECT answer FROM kept'),
          ).catch(() => undefined);
        },
        300_000,
      );
      expect(answer).toEqual([{ answer: 42 }]);
    });
    await platform.close();
  });
}, 1_800_000);
