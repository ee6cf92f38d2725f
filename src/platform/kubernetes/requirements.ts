import { eventReading, operatorRules, podTrying, type RbacRule } from '../../manifests/rbac.ts';
import { objectNames } from '../../manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import { admissionFindings } from './admission.ts';
import { certificateFindings } from './certificates.ts';
import { defaults, isDefault, readable, type Class } from './classes.ts';
import { finding, type Finding, type WordlessId } from '../../model/finding.ts';
import type { Cluster } from './cluster.ts';
import { nodeFindings } from './nodes.ts';
import { rightsMissing } from './rights.ts';
import { roomFindings } from './room.ts';
import type { KubernetesServers } from './servers.ts';

/** What the cluster is asked for. */
export type ClusterPurpose = 'making' | 'release';

/**
 * What the cluster lacks for an environment, before anything is made in it or changed: rights, kinds, classes. Reads
 * only. Classes belong to the cluster: whoever may not read them learns it from the snapshot itself.
 */
export async function requirements(
  environment: Environment,
  cluster: Cluster,
  servers: Pick<KubernetesServers, 'storageClassOf'>,
  purpose: ClusterPurpose,
): Promise<Finding[]> {
  const rights = await rightsFindings(environment, cluster, purpose);
  // Without rights the other questions have no answer.
  if (rights.length > 0) return rights;
  const making = purpose === 'making';
  const room = (await readable(roomFindings(environment, cluster, making))) ?? [];
  return [
    ...(await kindsMissing(environment, cluster)),
    ...(await certificateFindings(environment, cluster)),
    ...(await classFindings(environment, cluster, servers)),
    ...room,
    ...(await nodeFindings(environment, cluster, making)),
    ...(await admissionFindings(environment, cluster, { making, quotas: room.length === 0 })),
  ];
}

function refuse(id: WordlessId, title: string, reason: string, fix: string, objects: readonly string[] = []): Finding {
  return finding(id, { title, objects, reason, fix });
}

/**
 * The rules that this declaration needs: all for making the environment, fewer for a release of one that is there,
 * which a drill's own role does too.
 */
export function neededRules(
  { kubernetes: { images, istio, quota, drill, metrics } }: Environment,
  purpose: ClusterPurpose,
  inside: boolean,
): RbacRule[] {
  const making = purpose === 'making';
  const optional: Readonly<Record<string, boolean>> = {
    namespaces: making,
    'pods/portforward': !inside,
    jobs: images.upgrade !== undefined,
    cronjobs: making && drill.schedule !== undefined,
    events: drill.schedule !== undefined,
    servicemonitors: making && (metrics.serviceMonitor || metrics.rules),
    virtualservices: istio,
    serviceaccounts: making && images.verdigris !== undefined,
    roles: making && images.verdigris !== undefined,
    resourcequotas: making && Object.keys(quota).length > 0,
  };
  const helpful = [eventReading, podTrying];
  return operatorRules.filter((rule) => !helpful.includes(rule) && (optional[rule.resources[0] ?? ''] ?? true));
}

async function rightsFindings(environment: Environment, cluster: Cluster, purpose: ClusterPurpose): Promise<Finding[]> {
  const missing = await rightsMissing(cluster, neededRules(environment, purpose, cluster.inside));
  if (missing.length === 0) return [];
  return [
    refuse(
      'rights-missing',
      `these credentials may not do all that is needed in the namespace ${cluster.namespace}`,
      'A release that stops for want of a right would stop in the middle.',
      "Bind the operator's Role (docs/kubernetes.md) in this namespace to whoever runs Verdigris, or name " +
        'another kubeconfig or context; see also whether the namespace is the one that is meant.',
      missing,
    ),
  ];
}

async function kindsMissing({ kubernetes: { istio } }: Environment, cluster: Cluster): Promise<Finding[]> {
  const found: Finding[] = [];
  if (!(await cluster.knows('VolumeSnapshot')))
    found.push(
      refuse(
        'no-snapshot-api',
        'the cluster has no VolumeSnapshots',
        'A candidate is made of a snapshot.',
        'Install the snapshot API and its controller (kubernetes-csi/external-snapshotter), and a storage driver that has snapshots.',
      ),
    );
  if (istio && !(await cluster.knows('VirtualService')))
    found.push(
      refuse(
        'istio-missing',
        'kubernetes.istio is true, and the cluster has no Istio',
        "Routes by weight are Istio's.",
        'Declare kubernetes.istio: false: everything but the canary works without it. Or install Istio.',
      ),
    );
  return found;
}

async function classFindings(
  environment: Environment,
  cluster: Cluster,
  servers: Pick<KubernetesServers, 'storageClassOf'>,
): Promise<Finding[]> {
  const [storage, snapshots] = await Promise.all([
    readable(cluster.list<Class>('StorageClass', {})),
    readable(cluster.list<Class>('VolumeSnapshotClass', {})),
  ]);
  if (!storage || !snapshots) return [];
  const { storageClass, snapshotClass, keptSnapshotClass } = environment.kubernetes;
  const live = await servers.storageClassOf(environment.live);
  const name = live ?? storageClass ?? storage.find((each) => isDefault(each, defaults.storage))?.metadata.name;
  const volume = storage.find(({ metadata }) => metadata.name === name);
  const listed = (classes: readonly Class[]) =>
    classes.map(({ metadata, provisioner, driver }) => `${metadata.name} (${provisioner ?? driver ?? ''})`);
  if (!volume)
    return [
      refuse(
        'no-storage-class',
        name === undefined
          ? 'no StorageClass is declared, and the cluster has no default one'
          : `the StorageClass ${name} is not there`,
        'A volume would never be made.',
        'Declare kubernetes.storageClass, one of those listed.',
        listed(storage),
      ),
    ];
  const driver = volume.provisioner ?? '';
  const where =
    live === undefined
      ? `the StorageClass ${volume.metadata.name}`
      : `the claim ${objectNames.colour(environment.name, environment.live)}'s StorageClass ${volume.metadata.name}`;
  if (!snapshots.some((each) => each.driver === driver))
    return [
      refuse(
        'driver-without-snapshots',
        `${where} is of the driver ${driver}, for which there is no VolumeSnapshotClass`,
        'A candidate is made of a snapshot of the live volume.',
        'Make a VolumeSnapshotClass for this driver where it has snapshots; else move the data to a class of a driver that has.',
        listed(snapshots),
      ),
    ];
  const chosen = [snapshotClass, keptSnapshotClass].filter((each) => each !== undefined);
  const absent = chosen.find((each) => !snapshots.some(({ metadata }) => metadata.name === each));
  if (absent !== undefined)
    return [
      refuse(
        'no-snapshot-class',
        `the VolumeSnapshotClass ${absent} is not there`,
        'A snapshot would never be made.',
        'Declare one of those listed.',
        listed(snapshots),
      ),
    ];
  const foreign = snapshots.find(({ metadata, driver: its }) => chosen.includes(metadata.name) && its !== driver);
  if (foreign)
    return [
      refuse(
        'snapshot-class-driver',
        `the VolumeSnapshotClass ${foreign.metadata.name} is of the driver ${foreign.driver ?? ''}, ${where} of ${driver}`,
        'A driver makes snapshots of its own volumes only.',
        `Declare one of the driver ${driver}.`,
        listed(snapshots.filter((each) => each.driver === driver)),
      ),
    ];
  if (
    snapshotClass === undefined &&
    !snapshots.some((each) => each.driver === driver && isDefault(each, defaults.snapshot))
  )
    return [
      refuse(
        'no-snapshot-class',
        `no VolumeSnapshotClass is declared, and none of the driver ${driver} is the default`,
        'A snapshot would wait for a class for ever.',
        'Declare kubernetes.snapshotClass, one of those listed.',
        listed(snapshots.filter((each) => each.driver === driver)),
      ),
    ];
  return [];
}
