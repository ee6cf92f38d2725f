import { other, type Colour } from '../../../src/model/colours.ts';
import type { Cluster } from '../../../src/platform/kubernetes/cluster.ts';
import type { KubernetesPlatform } from '../../../src/platform/kubernetes/platform.ts';
import { rows, withClient } from '../../../src/postgres/client.ts';

/** What must not be left once the environment `shop` is single, `live` being live: in the database, and of objects. */
export async function leftovers(platform: KubernetesPlatform, admin: Cluster, live: Colour): Promise<unknown> {
  const ours = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'database' };
  const names = async (kind: 'PersistentVolumeClaim' | 'StatefulSet' | 'VolumeSnapshot' | 'PodDisruptionBudget') => (await admin.list(kind, ours)).map(({ metadata }) => metadata.name);
  return {
    colour: await platform.servers.observe(other(live)),
    holder: await platform.leases.holder(),
    volumes: await names('PersistentVolumeClaim'),
    sets: await names('StatefulSet'),
    budgets: await names('PodDisruptionBudget'),
    snapshots: await names('VolumeSnapshot'),
    ...(await withClient({ ...(await platform.servers.connection(live)), database: 'shop' }, 'test', async (client) => ({
      slots: await rows(client, 'SELECT slot_name FROM pg_replication_slots'),
      publications: await rows(client, 'SELECT pubname FROM pg_publication'),
      subscriptions: await rows(client, 'SELECT subname FROM pg_subscription'),
      roles: await rows(client, "SELECT rolname FROM pg_roles WHERE rolname = 'verdigris_replication'"),
      fenced: await rows(client, 'SELECT name FROM verdigris.fenced_role'),
    }))),
  };
}

export function nothingLeft(live: Colour, generation: number): unknown {
  return { colour: undefined, holder: undefined, volumes: [`shop-${live}-${generation}`], sets: [`shop-${live}`], budgets: [`shop-${live}`], snapshots: [], slots: [], publications: [], subscriptions: [], roles: [], fenced: [] };
}
