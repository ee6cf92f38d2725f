import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { untilReady } from '../../src/platform/kubernetes/pod-waits.ts';
import { startEnvironment } from '../../src/platform/local/lifecycle/create.ts';
import { OwnService } from '../../src/platform/service/own-service.ts';
import type { Target } from '../../src/platform/service/target.ts';
import { one } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import {
  credentials,
  declaredPasswords,
  declaredServer,
  fillShop,
  superuserPassword,
  type ExternalFixture,
} from '../support/external.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { testMajor } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';
import { machine, outside } from './support/outside.ts';

beforeAll(withNewestPgDump);

type Slice = Stored & { readonly endpoints: readonly { readonly addresses: readonly string[] }[] | null };

async function addressesOf({ admin }: TestNamespace, service: string): Promise<string[]> {
  const slices = await admin.list<Slice>('EndpointSlice', { 'kubernetes.io/service-name': service });
  return slices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses));
}

test('clients in the cluster come by one Service to servers outside of it: a release there, back, there and accepted', async () => {
  await withNamespace({}, async (namespace) => {
    await outside('their-blue', async (blue) => {
      await fillShop(blue);
      await outside('their-green', async (green) => {
        const server = (of: ExternalFixture) => ({ ...declaredServer(of), host: machine });
        const declaration = {
          colours: {
            blue: { release: '1', postgres: testMajor, server: server(blue) },
            green: { release: '2', postgres: testMajor, server: server(green) },
          },
          traffic: { kind: 'service', name: 'orders-db', namespace: namespace.name },
          local: { passwords: declaredPasswords },
        };
        await withEnvironment(
          { declaration, existing: credentials },
          async ({ verb, load, environment, platform, on }) => {
            const { verdict } = await load(60, async (workload) => {
              for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
                await verb(each);
                const { acknowledged } = workload.stats();
                await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
              }
              await verb('retire');
            });
            expect(verdict).toMatchObject({
              ok: true,
              lost: { count: 0 },
              doubled: { count: 0 },
              wrongColour: { count: 0 },
            });
            expect(await leftovers(platform, 'green', on)).toEqual(nothing);
            expect(await readJournal(platform.journal)).toMatchObject({
              state: 'single',
              live: 'green',
              release: null,
            });
            // Somebody deletes what leads the clients: `start` makes it again, for the live server.
            await namespace.admin.delete('Service', 'orders-db');
            expect(await platform.traffic.status()).toMatchObject({ running: false });
            await startEnvironment(environment, platform);
            expect(await platform.traffic.status()).toMatchObject({ running: true, live: 'green' });
            await until('the live server answers', () =>
              platform.traffic.probe().then(
                ({ colour }) => colour === 'green',
                () => false,
              ),
            );
          },
        );
        await until('what was made of it is gone', async () => {
          const left = await namespace.admin.list('EndpointSlice', {});
          return left.length === 0 && (await namespace.admin.read('Service', 'orders-db')) === undefined;
        });
      });
    });
  });
});

/** What Istio's name leads to where it answers for no names itself: an address that nobody has. */
const entry = { host: 'orders.db.internal', address: '240.0.7.1' };

/** A client in the mesh. */
async function meshClient({ admin }: TestNamespace): Promise<void> {
  await admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client', labels: { 'sidecar.istio.io/inject': 'true' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      hostAliases: [{ ip: entry.address, hostnames: [entry.host] }],
      containers: [
        { name: 'client', image: 'postgres:17', imagePullPolicy: 'IfNotPresent', command: ['sleep', 'infinity'] },
      ],
    },
  });
  await untilReady(admin, 'client', { limit: 120_000, next: 'see its log' });
}

async function nameSeenByMesh(namespace: string, host: string): Promise<string> {
  const url = `postgresql://postgres:${superuserPassword}@${host}:5432/postgres?connect_timeout=5`;
  const psql = ['psql', '-XAt', url, '-c', "SELECT current_setting('cluster_name')"];
  const { stdout } = await execa('kubectl', ['exec', '-n', namespace, 'client', '-c', 'client', '--', ...psql]);
  return stdout;
}

test('a Service that selected pods leads to an address outside, and back, in the mesh too: to nobody else at any time, and for no older operator', async () => {
  await withNamespace({ 'istio-injection': 'enabled' }, async (namespace) => {
    const { admin } = namespace;
    await meshClient(namespace);
    await outside('outside', async ({ port, superuser }) => {
      await admin.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'inside',
          labels: {
            'cnpg.io/cluster': 'shop-green',
            'cnpg.io/instanceRole': 'primary',
            'sidecar.istio.io/inject': 'false',
          },
        },
        spec: {
          containers: [
            {
              name: 'postgres',
              image: 'postgres:17',
              imagePullPolicy: 'IfNotPresent',
              args: ['-c', 'cluster_name=inside'],
              env: [{ name: 'POSTGRES_PASSWORD', value: superuserPassword }],
              readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 },
            },
          ],
        },
      });
      // As CloudNativePG keeps one for each Cluster.
      await admin.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'shop-green-rw' },
        spec: { selector: { 'cnpg.io/cluster': 'shop-green' }, ports: [{ name: 'postgres', port: 5432 }] },
      });
      await untilReady(admin, 'inside', { limit: 120_000, next: 'see its log' });
      const targets = { inside: { cluster: 'shop-green' }, outside: { host: machine, port } } as const;
      const environment = parseEnvironment(
        {
          name: 'shop',
          platform: 'local',
          database: 'shop',
          roles: { application: ['shop_app'] },
          colours: {
            blue: { release: '1', postgres: 17, server: { kind: 'external', host: machine, port } },
            green: { release: '2', postgres: 17, server: { kind: 'cnpg', cluster: 'shop-green' } },
          },
          live: 'green',
          traffic: { kind: 'service', serviceEntry: entry },
        },
        'the test',
      );
      let uid: string | undefined;
      const store = {
        read: () => Promise.resolve(uid),
        write: (found: string) => Promise.resolve(void (uid = found)),
      };
      const service = new OwnService(environment, admin, store, Object.values(targets));
      // What others have made is left alone, and nothing is made beside it.
      for (const name of ['theirs', 'shop-verdigris']) {
        await admin.create({
          apiVersion: 'networking.istio.io/v1',
          kind: 'ServiceEntry',
          metadata: { name },
          spec: {
            hosts: [entry.host],
            ports: [{ number: 5432, name: 'postgres', protocol: 'TCP' }],
            resolution: 'DNS',
          },
        });
        expect(await failure(service.create('green', targets.inside))).toMatchObject({ id: 'service-taken' });
        expect(await admin.read('Service', 'shop')).toBeUndefined();
        expect(await admin.read('ServiceEntry', name)).toMatchObject({ spec: { resolution: 'DNS' } });
        await admin.delete('ServiceEntry', name);
      }
      await service.create('green', targets.inside);
      const answers = async (to: keyof typeof targets) => {
        const { host = '' } = (await service.observe()) ?? {};
        const settings = { ...superuser, host, port: 5432, database: 'postgres' };
        await until(`${to} answers`, async () => {
          const found = await withClient(settings, 'test', (client) =>
            one<{ name: string }>(client, "SELECT current_setting('cluster_name') AS name"),
          ).catch(() => undefined);
          return found?.name === to;
        });
        expect((await service.observe())?.target).toEqual(targets[to]);
        for (const name of [entry.host, `shop.${namespace.name}.svc`])
          await until(
            `${to} answers in the mesh as ${name}`,
            async () => {
              const seen = await nameSeenByMesh(namespace.name, name).catch((error: unknown) => String(error));
              return seen === to;
            },
            60_000,
          );
      };
      await answers('inside');
      const to = (token: number, colour: 'blue' | 'green', target: Target) => service.select(token, colour, target);
      for (const token of [1, 3]) {
        await to(token, 'blue', targets.outside);
        await answers('outside');
        expect(await addressesOf(namespace, 'shop')).toEqual([machine]);
        await to(token + 1, 'green', targets.inside);
        await answers('inside');
        expect(await addressesOf(namespace, 'shop')).not.toContain(machine);
      }
      expect(await failure(to(3, 'blue', targets.outside))).toMatchObject({ id: 'stale-token' });
      await answers('inside');
      // One that only ever leads outside sees them too; what Kubernetes makes of a selector is nobody's.
      await service.prepare(4);
      const strange = (name: string) =>
        admin.create({
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name, labels: { 'kubernetes.io/service-name': 'shop' } },
          addressType: 'IPv4',
          endpoints: [{ addresses: ['10.9.9.9'] }],
          ports: [{ name: 'postgres', port: 5432 }],
        });
      await strange('theirs');
      const shared = { id: 'service-shared', seen: expect.stringContaining('EndpointSlice theirs.') as string };
      expect(await failure(service.prepare(4))).toMatchObject(shared);
      await admin.delete('EndpointSlice', 'theirs');
      await to(5, 'blue', targets.outside);
      const outsideOnly = new OwnService(environment, admin, store, [targets.outside]);
      expect(await outsideOnly.observe()).toMatchObject({ target: targets.outside, others: [] });
      await strange('theirs');
      expect(await outsideOnly.observe()).toMatchObject({ target: undefined, others: ['theirs'] });
      expect(await failure(outsideOnly.prepare(5))).toMatchObject(shared);
      await admin.delete('EndpointSlice', 'theirs');
      await outsideOnly.prepare(5);
      await service.remove();
      await until("Istio's name is gone", async () => !(await admin.read('ServiceEntry', 'shop-verdigris')));
    });
  });
});
