import { waitFor } from '../../../src/model/wait.ts';
import { isReady, type Pod } from '../../../src/platform/kubernetes/pods.ts';
import { rows } from '../../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import { withClient } from '../../../src/postgres/session.ts';
import type { TestNamespace } from './namespace.ts';

/** Asks a server that is made of a last snapshot, as docs/kubernetes.md says: it holds a data directory that was shut down. */
export async function askRestored(
  { name: namespace, admin }: Pick<TestNamespace, 'name' | 'admin'>,
  snapshot: string,
  as: ConnectionSettings,
  question: string,
): Promise<unknown[]> {
  await admin.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'restored', namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot },
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
  return waitFor(
    async () => {
      const pod = await admin.read<Pod>('Pod', 'restored');
      const host = pod?.status?.podIP;
      if (!pod || !isReady(pod) || host === undefined) return undefined;
      return withClient({ ...as, host, port: 5432 }, 'test', (client) => rows(client, question)).catch(
        (error: { code?: unknown }) =>
          error.code === '57P03' || error.code === 'ECONNREFUSED' ? undefined : Promise.reject(error as Error),
      );
    },
    { limit: 300_000, every: 200, what: 'the restored server', next: 'see the pod `restored`.' },
  );
}
