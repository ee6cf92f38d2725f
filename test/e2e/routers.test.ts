import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { isReady, type Pod } from '../../src/platform/kubernetes/pods.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { certificate } from '../support/certificates.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredServer, fillShop, superuserPassword, type ExternalFixture } from '../support/external.ts';
import { failure } from '../support/failure.ts';
import { testMajor } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { productImage } from './support/image.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';
import { machine, outside } from './support/outside.ts';

beforeAll(withNewestPgDump);
beforeAll(async () => void (await productImage()), 300_000);

/** Of each router. */
const perUser = 14;

/** Clients of a router that is killed are told of that, and nothing else may be wrong. */
const { errors: _, ok: __, ...kept } = good;

/** The example, as it is but for what this cluster has. */
async function example(image: string): Promise<Manifest[]> {
  const text = await readFile(new URL('../../examples/routers/deployment.yaml', import.meta.url), 'utf8');
  const fitted = text
    .replace('registry.example/verdigris:0.1.0', image)
    .replace('requests: { cpu: 500m', 'requests: { cpu: 10m');
  expect(fitted.split(image)).toHaveLength(2);
  return parseAllDocuments(fitted).map((each) => each.toJSON() as Manifest);
}

type ServiceObject = Stored & { readonly spec: { readonly clusterIP: string } };

async function untilServing({ admin }: TestNamespace, without = ''): Promise<string[]> {
  let pods: Pod[] = [];
  await until(
    'two routers are ready',
    async () => {
      pods = (await admin.list<Pod>('Pod', { app: 'shop-router' })).filter(
        (pod) => isReady(pod) && pod.metadata.name !== without,
      );
      return pods.length === 2;
    },
    180_000,
  );
  return pods.map(({ metadata }) => metadata.name);
}

test('the Deployment of the example: two routers in pods hold and move clients, one that dies costs no row; TLS and limits are as declared', async () => {
  await withNamespace({}, async (namespace) => {
    const { admin } = namespace;
    const folder = await mkdtemp(path.join(tmpdir(), 'vg-routers-'));
    await outside('journal', async (journal) => {
      await outside('their-blue', async (blue) => {
        await fillShop(blue);
        await outside('their-green', async (green) => {
          const manifests = await example(await productImage());
          for (const manifest of manifests.filter(({ kind }) => kind === 'Service')) await admin.apply(manifest);
          const { clusterIP } = (await admin.read<ServiceObject>('Service', 'shop-db'))?.spec ?? {};
          const server = (of: ExternalFixture) => ({ ...declaredServer(of), host: machine });
          // Relative: the pods have them beside the declaration too.
          const files: Record<string, string> = { journal: superuserPassword, ...credentials };
          const pair = { cert: path.join(folder, 'tls.crt'), key: path.join(folder, 'tls.key') };
          await certificate('shop-db', pair);
          const secret = (name: string, at: string) => ({ file: path.join(at, name) });
          const declared = (at: string) => ({
            journal: {
              ...{ kind: 'postgres', host: machine, port: journal.port, database: 'postgres', user: 'postgres' },
              ...{ password: secret('journal', at), sslmode: 'disable' },
            },
            colours: {
              blue: { release: '1', postgres: testMajor, server: server(blue) },
              green: { release: '2', postgres: testMajor, server: server(green) },
            },
            traffic: { kind: 'routers', address: `${clusterIP}:5432`, trustFor: '3s' },
            local: {
              passwords: { shop_app: secret('shop_app', at), shop_reader: secret('shop_reader', at) },
              tls: { cert: path.join(at, 'tls.crt'), key: path.join(at, 'tls.key') },
              limits: { connectionsPerUser: perUser },
            },
          });
          for (const [name, text] of Object.entries(files))
            await writeFile(path.join(folder, name), text, { mode: 0o600 });
          const within = {
            ...{ name: 'shop', platform: 'local', database: 'shop', live: 'blue' },
            roles: { application: ['shop_app'], readers: ['shop_reader'] },
            ...declared('/etc/verdigris'),
          };
          const pem = { 'tls.crt': await readFile(pair.cert, 'utf8'), 'tls.key': await readFile(pair.key, 'utf8') };
          await admin.create({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 'shop-router' },
            stringData: { 'shop.yaml': JSON.stringify(within), ...files, ...pem },
          });
          await withEnvironment({ declaration: declared(folder), existing: credentials }, async (bench) => {
            const { verb, load, platform } = bench;
            for (const manifest of manifests.filter(({ kind }) => kind !== 'Service')) await admin.apply(manifest);
            const [first = ''] = await untilServing(namespace);
            const calm = await load(60, async (workload) => {
              for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
                await verb(each);
                const { acknowledged } = workload.stats();
                await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
              }
            });
            // Nobody was told of an error: they were held, and moved.
            expect(calm.verdict).toMatchObject(good);

            const { verdict } = await load(60, async (workload) => {
              await admin.delete('Pod', first, { grace: 0 });
              await verb('rollback');
              await untilServing(namespace, first);
              const { acknowledged } = workload.stats();
              await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
              await verb('verify');
              await verb('switch');
              await verb('retire');
            });
            expect(verdict).toMatchObject(kept);
            expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green' });

            const settings = {
              host: clusterIP,
              port: 5432,
              database: 'shop',
              user: 'shop_app',
              password: credentials.shop_app,
            };
            const secure = new pg.Client({ ...settings, ssl: { ca: pem['tls.crt'], servername: 'shop-db' } });
            await secure.connect();
            await secure.query('SELECT 1');
            await secure.end();
            const stranger = new pg.Client({ ...settings, ssl: { servername: 'shop-db' } });
            expect((await failure(stranger.connect())).message).toContain('self-signed');
            const clients = Array.from({ length: 2 * perUser + 1 }, () => new pg.Client(settings));
            const refused = (await Promise.allSettled(clients.map((client) => client.connect()))).flatMap((each) =>
              each.status === 'rejected' ? [(each.reason as { code?: string }).code] : [],
            );
            expect(refused.length).toBeGreaterThanOrEqual(1);
            expect(new Set(refused)).toEqual(new Set(['53300']));
            await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
          });
        });
      });
    });
    await rm(folder, { recursive: true });
  });
});
