import type { Environment } from '../../model/environment.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Cluster } from './cluster.ts';
import { defaults, isDefault, readable, type Class } from './classes.ts';
import type { KubernetesServers } from './servers.ts';

/**
 * What only whoever knows the driver can say, and what its classes leave behind. Classes belong to the cluster: whoever
 * may not read them gets no finding.
 */
export async function snapshotFindings(
  { live, kubernetes: { snapshots, storageClass, snapshotClass, keptSnapshotClass } }: Environment,
  cluster: Cluster,
  servers: Pick<KubernetesServers, 'storageClassOf'>,
): Promise<Finding[]> {
  const [storage, classes] = await Promise.all([
    readable(cluster.list<Class>('StorageClass', {})),
    readable(cluster.list<Class>('VolumeSnapshotClass', {})),
  ]);
  const name = (await servers.storageClassOf(live)) ?? storageClass;
  const driver = storage?.find((each) => each.metadata.name === name)?.provisioner;
  if (!classes || driver === undefined) return [];
  const chosen = (wanted: string | undefined): Class | undefined =>
    classes.find((each) =>
      wanted === undefined
        ? each.driver === driver && isDefault(each, defaults.snapshot)
        : each.metadata.name === wanted,
    );
  const seeds = chosen(snapshotClass);
  const kept = chosen(keptSnapshotClass ?? snapshotClass);
  const stays = (each: Class | undefined): each is Class => each?.deletionPolicy === 'Retain';
  return [
    ...(snapshots === 'atomic'
      ? [
          finding('snapshots-atomic', {
            title: `snapshots of the driver ${driver} are taken as of one instant`,
            objects: [],
            reason: 'A torn snapshot is noticed only if a checkpoint falls into it: then the copy does not start.',
          }),
        ]
      : []),
    ...(stays(seeds)
      ? [
          finding('snapshots-stay', {
            grade: 'warn',
            title: 'every release leaves whole copies behind: the content of its snapshots outlives them',
            objects: [`VolumeSnapshotClass ${seeds.metadata.name} (deletionPolicy Retain)`],
            reason: 'The copies are VolumeSnapshotContents of the cluster; nothing in the namespace shows them.',
          }),
        ]
      : stays(kept)
        ? [
            finding('snapshots-stay', {
              grade: 'info',
              title: 'every switchover leaves a whole copy behind: the content of its snapshot outlives it',
              objects: [`VolumeSnapshotClass ${kept.metadata.name} (deletionPolicy Retain)`],
              reason: 'That is what the class is for, but the storage costs money.',
            }),
          ]
        : []),
  ];
}
