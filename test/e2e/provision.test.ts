import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../src/platform/kubernetes/lifecycle/create.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { shopDeclaration } from './support/declaration.ts';
import { clusterEnvironment, withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { withNamespace } from './support/namespace.ts';
import { shareSnapshot } from './support/share-snapshot.ts';

/** People as production has them; a database beside it, and a role that the copy must not let in. */
async function people(
  client: Parameters<NonNullable<Parameters<typeof withClusterEnvironment>[0]['fill']>>[0],
): Promise<void> {
  await client.query(`CREATE TABLE public.person (id int PRIMARY KEY, mail text NOT NULL);
    INSERT INTO public.person SELECT n, 'person' || n || '@example.com' FROM generate_series(1, 1000) n;
    CREATE ROLE dba SUPERUSER LOGIN PASSWORD 'known to many'`);
}

/** Seen when it runs twice. */
const sql = "UPDATE public.person SET mail = 'masked ' || mail";

const staging = (namespace: string, from: Record<string, unknown>) =>
  shopDeclaration(namespace, { name: 'staging', kubernetes: { pooler: { replicas: 1 }, from } });

const masked = (client: Parameters<Parameters<ClusterEnvironment['on']>[1]>[0]) =>
  one(
    client,
    `SELECT (SELECT count(*)::int FROM person WHERE mail LIKE 'masked person%') AS masked, (SELECT count(*)::int FROM person) AS people,
  (SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin) AS admitted,
  (SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname !~ '^template[01]$') AS databases,
  (SELECT count(*)::int FROM pg_replication_slots) + (SELECT count(*)::int FROM pg_publication) +
  (SELECT count(*)::int FROM pg_subscription) AS replication, current_setting('cluster_name') AS name`,
  );

const right = {
  masked: 1000,
  people: 1000,
  // Verdigris's own follow the copy's operator: what production's passwords open, they do not.
  admitted: 'shop_app,shop_reader,verdigris_locker,verdigris_operator,verdigris_reader',
  databases: 'postgres,shop',
  replication: 0,
  name: 'staging-blue',
};

test('staging from production in the middle of its release: masked before anybody may connect, and an environment of its own', async () => {
  await withClusterEnvironment({ fill: people, kubernetes: { pooler: { replicas: 1 } } }, async (production) => {
    const { namespace } = production;
    const { verdict } = await production.clients(async (workload) => {
      // Its live colour has a slot, a publication and, after a switchover, marks of a parked boot on its volume.
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await production.verb(verb);
      await production.on('green', (client) => client.query('CREATE DATABASE payroll'));
      const bad = staging(namespace.name, {
        environment: 'shop',
        mask: { sql: 'UPDATE public.nothing SET mail = NULL' },
      });
      const failing = parseEnvironment(bad, 'the test');
      const platform = new KubernetesPlatform(failing, Cluster.of(namespace.operator, namespace.name));
      await expect(createKubernetes(failing, platform, { raw: bad })).rejects.toMatchObject({ id: 'mask-failed' });
      // Nobody can come in: neither those whom production knew, nor the new ones, whose passwords are not set yet.
      const admitted = await withClient(
        { ...(await platform.servers.connection('blue')), database: 'shop' },
        'test',
        (client) => one(client, "SELECT string_agg(rolname, ',') AS admitted FROM pg_roles WHERE rolcanlogin"),
      );
      expect(admitted).toEqual({ admitted: 'verdigris_operator' });
      await platform.close();

      await clusterEnvironment(
        namespace,
        staging(namespace.name, { environment: 'shop', mask: { sql } }),
        {},
        async (copy) => {
          expect(await copy.on('blue', masked)).toEqual(right);
          expect(await copy.platform.secrets.role('shop_app')).not.toBe(
            await production.platform.secrets.role('shop_app'),
          );
          expect(await readJournal(copy.platform.journal)).toMatchObject({
            environment: 'staging',
            state: 'single',
            live: 'blue',
            generation: 1,
            liveRelease: '1',
          });
          // Its own releases work: what was copied along, marks of parked boots among it, is nobody's any more.
          for (const verb of ['seed', 'migrate', 'verify', 'switch', 'retire'] as const) await copy.verb(verb);
          expect(await copy.on('green', masked)).toEqual({
            ...right,
            name: 'staging-green',
          });
          expect(
            (await namespace.admin.list('VolumeSnapshot', { 'app.kubernetes.io/instance': 'staging' })).map(
              ({ metadata }) => metadata.name,
            ),
          ).toEqual([]);
        },
      );
      expect(
        await production.on('green', (client) =>
          one(client, "SELECT count(*)::int AS people FROM person WHERE mail LIKE 'person%'"),
        ),
      ).toEqual({ people: 1000 });
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
    });
    expect(verdict).toMatchObject({ ok: true });
  });
});

test("from a VolumeSnapshot that an administrator made of another namespace's, masked by a command", async () => {
  await withClusterEnvironment(
    { fill: people, kubernetes: { pooler: { replicas: 1 } } },
    async ({ namespace: there, platform }) => {
      await platform.servers.snapshot('blue', 'golden', () => Promise.reject(new Error('atomic')));
      await withNamespace({}, async (here) => {
        const shared = await shareSnapshot(there, 'shop-golden', here, 'golden');
        try {
          const command = [
            process.execPath,
            '--input-type=module',
            '-e',
            `import pg from ${JSON.stringify(import.meta.resolve('pg'))}; const c = new pg.Client(); ` +
              `await c.connect(); await c.query("UPDATE person SET mail = 'masked ' || mail"); await c.end()`,
          ];
          await clusterEnvironment(
            here,
            staging(here.name, { snapshot: 'golden', mask: { command } }),
            {},
            async (copy) => {
              expect(await copy.on('blue', masked)).toEqual(right);
              expect(await copy.on('blue', (client) => rows(client, 'SELECT marker FROM verdigris.barrier'))).toEqual(
                [],
              );
            },
          );
        } finally {
          await shared.remove();
        }
      });
    },
  );
});

test('an original that is not there, or not ready, is said before anything is made', async () => {
  await withNamespace({}, async (namespace) => {
    const refused = async (from: Record<string, unknown>, seen: string): Promise<void> => {
      const raw = staging(namespace.name, { ...from, mask: 'none' });
      const environment = parseEnvironment(raw, 'the test');
      const platform = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
      await expect(createKubernetes(environment, platform, { raw })).rejects.toMatchObject({
        id: 'origin-unfit',
        seen: expect.stringContaining(seen) as unknown,
      });
      for (const kind of ['PersistentVolumeClaim', 'Secret', 'NetworkPolicy', 'StatefulSet'] as const)
        expect(await namespace.admin.list(kind, {})).toEqual([]);
      await platform.close();
    };
    await refused({ environment: 'nobody' }, 'no environment nobody');
    await refused({ snapshot: 'golden' }, `no VolumeSnapshot ${namespace.name}/golden`);
    await namespace.admin.create({
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'golden', namespace: namespace.name },
      spec: { source: { persistentVolumeClaimName: 'nothing' } },
    });
    await refused({ snapshot: 'golden' }, `${namespace.name}/golden is not ready to use`);
  });
});
