import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClusterEnvironment } from './support/environment.ts';

test('a snapshot that fails or is never ready, and a claim that never binds, end the seed and leave nothing; errors that pass are waited for', async () => {
  await withClusterEnvironment(
    { kubernetes: { pooler: { replicas: 1 } } },
    async ({ verb, declared, clients, platform, on, namespace: { admin, name } }) => {
      const nothingLeft = async (): Promise<void> => {
        expect(await readJournal(platform.journal)).toMatchObject({
          state: 'single',
          live: 'blue',
          operation: null,
          release: null,
        });
        const ours = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'database' };
        expect((await admin.list('PersistentVolumeClaim', ours)).map(({ metadata }) => metadata.name)).toEqual([
          'shop-blue-1',
        ]);
        expect(await admin.list('VolumeSnapshot', ours)).toEqual([]);
        expect((await admin.list('StatefulSet', ours)).map(({ metadata }) => metadata.name)).toEqual(['shop-blue']);
        expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
      };
      /** A class whose volumes are never made; of the cluster, so under a name of this test's own. */
      const nowhere = `nowhere-${name}`;
      await admin.create({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: nowhere },
        provisioner: 'nobody.test',
        volumeBindingMode: 'Immediate',
      });
      try {
        const { verdict } = await clients(async (workload) => {
          await expect(
            declared({ snapshotClass: 'never-ready' }, { snapshot: '5s' }, () => verb('seed')),
          ).rejects.toMatchObject({ id: 'snapshot-not-ready' });
          await nothingLeft();
          await expect(declared({ snapshotClass: 'failing' }, {}, () => verb('seed'))).rejects.toMatchObject({
            id: 'snapshot-failed',
          });
          await nothingLeft();
          await expect(
            declared({ storageClass: nowhere }, { snapshot: '15s' }, () => verb('seed')),
          ).rejects.toMatchObject({
            id: expect.stringMatching(/timed-out|claim-unbound/) as string,
            seen: expect.stringContaining('shop-green') as string,
          });
          await nothingLeft();
          // A restore that leaves a file out is found by the seed, and not by whoever reads it first.
          const [file] = await on('blue', (client) =>
            rows<{ path: string }>(client, "SELECT pg_relation_filepath('workload.account_pkey'::regclass) AS path"),
          ).catch(() => []);
          if (!file) throw new Error('the workload has an index');
          await admin.merge('Namespace', name, { metadata: { annotations: { 'btrfs.test/leave-out': file.path } } });
          await expect(verb('seed')).rejects.toMatchObject({
            id: 'copy-not-whole',
            seen: expect.stringContaining(file.path) as string,
          });
          await nothingLeft();
          await admin.merge('Namespace', name, { metadata: { annotations: { 'btrfs.test/leave-out': null } } });
          // Nobody lets a snapshot go: neither the undoing nor the next release waits for that.
          await admin.merge('Namespace', name, { metadata: { annotations: { 'btrfs.test/deletion': 'never' } } });
          const began = Date.now();
          await expect(
            declared({ snapshotClass: 'never-ready' }, { snapshot: '3s' }, () => verb('seed')),
          ).rejects.toMatchObject({ id: 'snapshot-not-ready' });
          expect(Date.now() - began).toBeLessThan(60_000);
          expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', operation: null });
          expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
          await admin.merge('Namespace', name, { metadata: { annotations: { 'btrfs.test/deletion': null } } });
          // An error that the driver tries again after is waited for.
          await declared({ snapshotClass: 'passing-error' }, {}, () => verb('seed'));
          for (const each of ['migrate', 'verify', 'switch', 'retire'] as const) await verb(each);
          const { acknowledged } = workload.stats();
          await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
        });
        expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      } finally {
        await admin.delete('StorageClass', nowhere);
      }
    },
  );
});
