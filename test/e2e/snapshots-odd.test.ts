import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { removeSnapshot } from '../../src/platform/kubernetes/snapshots.ts';
import type { SnapshotObject } from '../../src/platform/kubernetes/storage.ts';
import { rows } from '../../src/postgres/client.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';
import { administrator } from './support/namespace.ts';
import { withClusterEnvironment } from './support/environment.ts';

test('a torn snapshot is refused with the key to declare; a class that retains is said beforehand, and what stays by name', async () => {
  await withClusterEnvironment(
    { kubernetes: { pooler: { replicas: 1 } } },
    async ({ verb, declared, raw, environment, on, platform, namespace: { admin, name } }) => {
      // What only whoever may read the cluster's classes is told.
      const findings = async (snapshotClass: string) => {
        const { kubernetes, ...rest } = raw as { kubernetes: object };
        const other = parseEnvironment({ ...rest, kubernetes: { ...kubernetes, snapshotClass } }, 'the test');
        const asAdmin = new KubernetesPlatform(other, Cluster.of(administrator(), name));
        try {
          return await asAdmin.findings(true);
        } finally {
          await asAdmin.close();
        }
      };
      const standard = await findings('standard');
      expect(standard).toContainEqual(
        expect.objectContaining({ id: 'snapshots-atomic', title: expect.stringContaining('btrfs') as string }),
      );
      expect(standard.map(({ id }) => id)).not.toContain('snapshots-stay');
      expect(await findings('retain')).toContainEqual(
        expect.objectContaining({
          id: 'snapshots-stay',
          grade: 'warn',
          objects: [expect.stringContaining('retain') as string],
        }),
      );

      await on('blue', (client) => client.query('CREATE TABLE torn (id int PRIMARY KEY, text text)'));
      const torn = failure(declared({ snapshotClass: 'torn' }, {}, () => verb('seed')));
      await until(
        'the snapshot is under way',
        async () => (await admin.list('VolumeSnapshot', {})).length > 0,
        120_000,
      );
      // Its halves are seconds apart: what is written and checkpointed in between is in the second alone.
      await on('blue', async (client) => {
        await client.query('SELECT pg_sleep(3)');
        await client.query("INSERT INTO torn SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n");
        await client.query('SELECT pg_switch_wal()');
        await client.query('CHECKPOINT');
      });
      expect(await torn).toMatchObject({
        id: 'copy-not-whole',
        next: expect.stringContaining('kubernetes.snapshots: backup') as string,
      });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', operation: null });
      expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);

      const cluster = Cluster.of(administrator(), name);
      await cluster.create({
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name: 'shop-stays', namespace: name },
        spec: { volumeSnapshotClassName: 'retain', source: { persistentVolumeClaimName: 'shop-blue-1' } },
      });
      await until(
        'the snapshot is bound',
        async () =>
          (await cluster.read<SnapshotObject>('VolumeSnapshot', 'shop-stays'))?.status?.boundVolumeSnapshotContentName,
        120_000,
      );
      expect(await removeSnapshot(cluster, environment, 'stays')).toMatch(
        /^VolumeSnapshotContent [\w-]+ stays, with its copy/,
      );
      cluster.close();
    },
  );
});
