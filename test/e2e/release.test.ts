import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/ledger.ts';
import { rows, withClient } from '../../src/postgres/client.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';

/** What must not be left once an environment is single again, green being live: in the database, and of objects. */
async function leftovers({ platform, on, namespace: { admin } }: ClusterEnvironment): Promise<unknown> {
  const ours = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'database' };
  const names = async (kind: 'PersistentVolumeClaim' | 'StatefulSet' | 'VolumeSnapshot' | 'PodDisruptionBudget') => (await admin.list(kind, ours)).map(({ metadata }) => metadata.name);
  return {
    colour: await platform.servers.observe('blue'),
    holder: await platform.leases.holder(),
    volumes: await names('PersistentVolumeClaim'),
    sets: await names('StatefulSet'),
    budgets: await names('PodDisruptionBudget'),
    snapshots: await names('VolumeSnapshot'),
    ...(await on('green', async (client) => ({
      slots: await rows(client, 'SELECT slot_name FROM pg_replication_slots'),
      publications: await rows(client, 'SELECT pubname FROM pg_publication'),
      subscriptions: await rows(client, 'SELECT subname FROM pg_subscription'),
      roles: await rows(client, "SELECT rolname FROM pg_roles WHERE rolname = 'verdigris_replication'"),
      fenced: await rows(client, 'SELECT name FROM verdigris.fenced_role'),
    }))),
  };
}

const nothing = { colour: undefined, holder: undefined, volumes: ['shop-green-2'], sets: ['shop-green'], budgets: ['shop-green'], snapshots: [], slots: [], publications: [], subscriptions: [], roles: [], fenced: [] };

test('a release goes forward, back, forward and is accepted on a real cluster, under load, and nothing is lost or left', async () => {
  await withClusterEnvironment({}, async (test) => {
    const { verb, clients, platform, pauses } = test;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
      }
      await verb('retire');
    });
    console.log(`write pauses in ms, as the operator measured them: ${pauses.join(', ')}; as the clients saw them: ${verdict.pauses.map(({ ms }) => ms).join(', ')}`);
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', liveRelease: '2', release: null, stream: null, closing: null, operation: null });
    expect(await platform.history.list()).toMatchObject([{ from: '1', to: '2', outcome: 'released' }]);
    expect(await leftovers(test)).toEqual(nothing);
  });
});

test('clients that do not leave their transaction in time make the switchover give up, and nobody notices', async () => {
  await withClusterEnvironment({ limits: { pause: '500ms' } }, async ({ verb, clients, platform, on, environment }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const { verdict } = await clients(async (workload) => {
      const held = Promise.withResolvers<void>();
      const [replica] = await platform.poolers.required();
      if (!replica) throw new Error('there is a replica');
      const sleeper = withClient(await platform.poolers.client(replica, 'shop_app', environment.database), 'sleeper', async (client) => {
        await client.query('BEGIN; SELECT 1');
        await held.promise;
        await client.query('COMMIT');
      });
      await expect(verb('switch')).rejects.toMatchObject({ id: 'pause-timeout' });
      held.resolve();
      await sleeper;
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'verified', live: 'blue', operation: null });
    expect(await on('blue', (client) => rows(client, 'SELECT name FROM verdigris.fenced_role'))).toEqual([]);
  });
});
