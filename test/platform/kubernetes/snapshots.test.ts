import { expect, test } from 'vitest';
import { removeSnapshot } from '../../../src/platform/kubernetes/snapshots.ts';
import { declared } from '../../pulumi/components/support.ts';
import { withApiServer } from '../../support/api-server.ts';

test('a snapshot that a finalizer keeps is asked to go, and holds up nothing: a retire ends, and the next release begins', async () => {
  const asked: string[] = [];
  const metadata = {
    name: 'shop-seed-1',
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['snapshot.storage.kubernetes.io/volumesnapshot-bound-protection'],
  };
  await withApiServer(
    ({ method, url }) => {
      if (method === 'DELETE') asked.push(url);
      return { status: 200, body: { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata } };
    },
    async (cluster) => {
      const began = Date.now();
      expect(await removeSnapshot(cluster, declared(), 'seed-1')).toBeUndefined();
      expect(Date.now() - began).toBeLessThan(20_000);
    },
  );
  expect(asked.map((url) => url.split('/').at(-1)?.split('?')[0])).toEqual(['shop-seed-1', 'shop-seed-1-log']);
});
