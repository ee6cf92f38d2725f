import type { Manifest } from '../../../src/manifests/manifest.ts';
import { waitFor } from '../../../src/model/wait.ts';
import { Cluster, type Stored } from '../../../src/platform/kubernetes/cluster.ts';
import { untilReady } from '../../../src/platform/kubernetes/pod-waits.ts';
import { Reach } from '../../../src/platform/kubernetes/reach.ts';
import type { Client } from '../../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { prepareWorkload } from '../../../src/workload/schema.ts';
import type { TestNamespace } from './namespace.ts';

export const secret = (name: string, data: Record<string, string>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: data,
});

/** What the old database's own manifests call things. */
export interface LegacyNames {
  /** Of the StatefulSet, its Service and the Secret of its superuser. */
  readonly server: string;
  readonly superuser: string;
  readonly reader: string;
  /** Secrets of the applications' and of the readers' role. */
  readonly passwords: { readonly app: string; readonly reader: string };
}

export const ledger: LegacyNames = {
  server: 'ledger-db',
  superuser: 'owner',
  reader: 'shop_reader',
  passwords: { app: 'ledger-app', reader: 'ledger-report' },
};

interface Legacy {
  readonly names?: LegacyNames;
  readonly args?: readonly string[];
  readonly labels?: Record<string, string>;
  readonly path?: { readonly PGDATA: string; readonly subPath?: string };
  readonly image?: string;
  /** Left empty, and made as others make theirs. */
  readonly empty?: boolean;
}

/**
 * A database as somebody's plain manifests make it, with its own names, labels and layout; filled, with two roles,
 * unless it is to be empty.
 */
export async function legacy(
  { admin, operator, name: namespace }: TestNamespace,
  {
    names = ledger,
    args = ['-c', 'wal_level=logical'],
    labels = {},
    path = { PGDATA: '/data/db', subPath: 'postgres' },
    image = 'postgres:15',
    empty = false,
  }: Legacy = {},
): Promise<void> {
  const { server } = names;
  const own = { app: server };
  const { subPath, PGDATA } = path;
  const manifests: Manifest[] = [
    secret(server, { 'postgres-password': 'owner-password' }),
    secret(names.passwords.app, { password: 'app-password' }),
    secret(names.passwords.reader, { pw: 'report-password' }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: server },
      spec: { selector: own, ports: [{ name: 'pg', port: 5432, targetPort: 'pg' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: server, labels: { ...own, ...labels } },
      spec: {
        serviceName: server,
        replicas: 1,
        selector: { matchLabels: own },
        template: {
          metadata: { labels: own },
          spec: {
            securityContext: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
            containers: [
              {
                name: 'db',
                image,
                imagePullPolicy: 'IfNotPresent',
                args: ['postgres', ...args],
                ports: [{ name: 'pg', containerPort: 5432 }],
                env: [
                  { name: 'PGDATA', value: PGDATA },
                  { name: 'POSTGRES_USER', value: names.superuser },
                  { name: 'POSTGRES_DB', value: 'shop' },
                  ...(empty ? [{ name: 'POSTGRES_INITDB_ARGS', value: '--encoding=UTF8 --locale=C.UTF-8' }] : []),
                  {
                    name: 'POSTGRES_PASSWORD',
                    valueFrom: { secretKeyRef: { name: server, key: 'postgres-password' } },
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
    metadata: { name: `disk-${server}-0`, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await waitFor(
    async () =>
      (await admin.read<Stored & { status?: { phase?: string } }>('PersistentVolumeClaim', `disk-${server}-0`))?.status
        ?.phase === 'Bound'
        ? true
        : undefined,
    { limit: 60_000, every: 100, what: 'the claim bound', next: 'see the storage driver' },
  );
  for (const manifest of manifests) await admin.apply({ ...manifest, metadata: { ...manifest.metadata, namespace } });
  await untilReady(admin, `${server}-0`, { limit: 300_000, next: 'see its log' });
  if (empty) return;
  await asOwner(
    { operator, name: namespace },
    async (client) => {
      await client.query(
        `CREATE ROLE shop_app LOGIN PASSWORD 'app-password'; CREATE ROLE ${names.reader} LOGIN PASSWORD 'report-password'`,
      );
      await client.query(
        `CREATE TABLE public.kept (id int PRIMARY KEY, text text NOT NULL);
        INSERT INTO public.kept SELECT n, md5(n::text) FROM generate_series(1, 5000) n;
        GRANT SELECT ON public.kept TO shop_app, ${names.reader}`,
      );
      await prepareWorkload(client, { roles: { writer: 'shop_app', reader: names.reader }, writers: 8 });
    },
    names,
  );
}

export async function asOwner<T>(
  { operator, name }: Pick<TestNamespace, 'operator' | 'name'>,
  use: (client: Client) => Promise<T>,
  names = ledger,
): Promise<T> {
  const cluster = Cluster.of(operator, name);
  const reach = new Reach(cluster);
  try {
    const settings: ConnectionSettings = {
      ...(await reach.address(`${names.server}-0`, 5432, '')),
      user: names.superuser,
      password: 'owner-password',
      database: 'shop',
    };
    return await withClient(settings, 'owner', use);
  } finally {
    await reach.close();
    cluster.close();
  }
}
