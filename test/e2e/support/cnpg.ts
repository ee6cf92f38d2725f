import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import type { CnpgCluster } from '../../../src/platform/cnpg/objects.ts';
import type { Colour } from '../../../src/model/colours.ts';
import { waitFor } from '../../../src/model/wait.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { prepareWorkload } from '../../../src/workload/schema.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { credentials, declaredPasswords } from '../../support/external.ts';
import { withNamespace, type TestNamespace } from './namespace.ts';

const operator = fileURLToPath(new URL('../../../../shared/cluster/cnpg/up', import.meta.url));

/** The real operator, in the test cluster; seconds where it is there already. */
export async function operatorUp(): Promise<void> {
  if (!existsSync(operator)) throw new Error(`no ${operator}: these tests need the operator of CloudNativePG`);
  await execa(operator, { timeout: 240_000 });
}

export const clusterOf = (colour: Colour): string => `shop-${colour}`;

export const clusterImage = (major: number): string => `docker.io/test/cnpg-postgres:${major}`;

/** As docs/cnpg.md has it. */
function manifest(name: string, instances: number, major: number): Manifest {
  return {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      instances,
      imageName: clusterImage(major),
      imagePullPolicy: 'IfNotPresent',
      storage: { size: '1Gi' },
      resources: { requests: { cpu: '10m', memory: '64Mi' } },
      bootstrap: { initdb: { database: 'shop', owner: 'shop_app', secret: { name: 'shop-app' } } },
      postgresql: {
        ...(instances > 1 ? { synchronous: { method: 'any', number: 1, dataDurability: 'preferred' } } : {}),
        // Durable enough for a crash of processes, which is what these tests cause; and the disk is slow.
        parameters: {
          ...(major < 17 ? {} : { sync_replication_slots: 'on' }),
          ...{ hot_standby_feedback: 'on', fsync: 'off' },
        },
      },
      replicationSlots: {
        highAvailability: { enabled: true, ...(major < 17 ? {} : { synchronizeLogicalDecoding: true }) },
      },
      monitoring: { disableDefaultQueries: true },
    },
  };
}

export interface ClusterOptions {
  /** Majors of the two, 17 if left out; one below has one instance, because its slots end with it. */
  readonly majors?: Readonly<Record<Colour, number>>;
  /** Added to each colour's server. */
  readonly server?: Readonly<Record<string, unknown>>;
  /** Makes them in the place of the test itself. */
  readonly make?: (manifests: readonly Manifest[], namespace: string) => Promise<void>;
  /** Clients come by the router in the place of a Service. */
  readonly router?: true;
}

export interface Clusters extends TestEnvironment {
  readonly admin: TestNamespace['admin'];
  /** Until its operator says so, with all instances. */
  healthy(colour: Colour): Promise<void>;
  /** Ends the primary as the death of its node does; returns when another one takes writes. */
  failover(colour: Colour): Promise<void>;
}

/** Two Clusters of two instances each in a namespace of their own, blue with the tables of the workload, and live. */
export async function withCnpg(
  use: (test: Clusters) => Promise<void>,
  { majors = { blue: 17, green: 17 }, server: more = {}, make, router }: ClusterOptions = {},
): Promise<void> {
  const instances = (colour: Colour): number => (majors[colour] < 17 ? 1 : 2);
  await withNamespace({}, async (namespace) => {
    const { admin, name } = namespace;
    await admin.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-app' },
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'shop_app', password: credentials.shop_app },
    });
    const status = async (colour: Colour): Promise<NonNullable<CnpgCluster['status']>> =>
      (await admin.read<CnpgCluster>('Cluster', clusterOf(colour)))?.status ?? {};
    const healthy = async (colour: Colour): Promise<void> =>
      waitFor(
        async () => {
          const { phase, readyInstances } = await status(colour);
          return (phase === 'Cluster in healthy state' && readyInstances === instances(colour)) || undefined;
        },
        { limit: 240_000, every: 1_000, slowest: 1_000, what: `${colour} healthy`, next: 'see its pods.' },
      ).then(() => undefined);
    const failover = async (colour: Colour): Promise<void> => {
      const { currentPrimary: before = '' } = await status(colour);
      await admin.delete('Pod', before, { grace: 0 });
      await waitFor(
        async () => {
          const { currentPrimary, targetPrimary } = await status(colour);
          return (currentPrimary !== before && currentPrimary === targetPrimary) || undefined;
        },
        { limit: 120_000, every: 500, slowest: 500, what: `another primary of ${colour}`, next: 'see its pods.' },
      );
    };
    const manifests = (['blue', 'green'] as const).map((colour) =>
      manifest(clusterOf(colour), instances(colour), majors[colour]),
    );
    if (make) await make(manifests, name);
    else for (const each of manifests) await admin.create(each);
    await healthy('blue');
    await healthy('green');
    const server = (colour: Colour) => ({ kind: 'cnpg', cluster: clusterOf(colour), namespace: name, ...more });
    const declaration = {
      colours: {
        blue: { release: '1', postgres: majors.blue, server: server('blue') },
        green: { release: '2', postgres: majors.green, server: server('green') },
      },
      ...(router ? {} : { traffic: { kind: 'service' } }),
      local: { passwords: declaredPasswords },
      kubernetes: { namespace: name },
    };
    await withEnvironment({ declaration, existing: credentials }, async (environment) => {
      await environment.on('blue', async (client) => {
        await client.query(`CREATE ROLE shop_reader LOGIN PASSWORD '${credentials.shop_reader}'; SET ROLE shop_app`);
        await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
      });
      try {
        await use({ ...environment, admin, healthy, failover });
      } finally {
        await environment.platform.close();
      }
    });
  });
}

/** As docs/cnpg.md says of a seed that was undone. */
export async function emptied({ platform }: Pick<Clusters, 'platform'>): Promise<void> {
  await withClient(
    { ...(await platform.servers.connection('green')), database: 'postgres' },
    'test',
    async (client) => {
      await client.query('DROP DATABASE shop WITH (FORCE)');
      await client.query('CREATE DATABASE shop OWNER shop_app');
    },
  );
}
