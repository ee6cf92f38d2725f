import type { Colour } from '../../../src/model/colours.ts';
import type { Cluster } from '../../../src/platform/kubernetes/cluster.ts';
import type { KubernetesPlatform } from '../../../src/platform/kubernetes/platform.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { leftovers as ofAny, nothing } from '../../support/leftovers.ts';

/** What must not be left once the environment `shop` is single, `live` being live: in the database, and of objects. */
export async function leftovers(platform: KubernetesPlatform, admin: Cluster, live: Colour): Promise<unknown> {
  const ours = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'database' };
  const names = async (kind: 'PersistentVolumeClaim' | 'StatefulSet' | 'VolumeSnapshot' | 'PodDisruptionBudget') =>
    (await admin.list(kind, ours)).map(({ metadata }) => metadata.name);
  return {
    volumes: await names('PersistentVolumeClaim'),
    sets: await names('StatefulSet'),
    budgets: await names('PodDisruptionBudget'),
    snapshotObjects: await names('VolumeSnapshot'),
    ...(await ofAny(platform, live, async (colour, use) =>
      withClient({ ...(await platform.servers.connection(colour)), database: 'shop' }, 'test', use),
    )),
  };
}

export function nothingLeft(live: Colour, generation: number): unknown {
  return {
    ...nothing,
    volumes: [`shop-${live}-${generation}`],
    sets: [`shop-${live}`],
    budgets: [`shop-${live}`],
    snapshotObjects: [],
  };
}
