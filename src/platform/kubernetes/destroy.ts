import { adoptedSelector } from '../../components/manifests/adopted.ts';
import { dataPath } from '../../components/manifests/colour.ts';
import type { Kind } from '../../components/manifests/manifest.ts';
import { commonLabels, objectNames } from '../../components/manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { claimsOf } from './drift.ts';
import type { KubernetesPlatform } from './platform.ts';
import type { ServerSet } from './servers.ts';
import { takeSnapshot } from './storage.ts';

/** What a destroy leaves. */
export interface LastSnapshot {
  /** The VolumeSnapshot's name in the namespace. */
  readonly name: string;
  /** Its class; the cluster's default where none is declared. */
  readonly class: string | undefined;
}

/**
 * Removes everything that an environment has in its namespace, the volumes too, but for one last snapshot of the live colour,
 * taken of a server that was shut down. Cut short, it is repeated; the journal goes last. A snapshot that fails leaves the
 * environment as it was.
 */
export async function destroyKubernetes(environment: Environment, platform: KubernetesPlatform, live: Colour): Promise<LastSnapshot | undefined> {
  const last = await lastSnapshot(environment, platform, live);
  await removeKubernetes(environment, platform);
  return last;
}

/** What only a declared environment has, and what every one has besides volumes and servers, a clone too; in the order in which they go. */
const declaredKinds = ['ResourceQuota', 'CronJob', 'ServiceMonitor', 'PrometheusRule', 'RoleBinding', 'Role', 'ServiceAccount'] as const;
export const plainKinds = ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'Secret', 'Lease', 'ConfigMap'] as const;

/** As `destroyKubernetes`, and leaves nothing but last snapshots of its kind. A clone is removed by roles that have no right to look for the rest. */
export async function removeKubernetes(environment: Environment, platform: KubernetesPlatform, kinds: readonly Kind[] = [...declaredKinds, ...plainKinds]): Promise<void> {
  const { cluster, servers } = platform;
  await cluster.delete('Deployment', objectNames.pooler(environment.name));
  await platform.routes.remove();
  for (const snapshot of await servers.snapshots()) if (!snapshot.startsWith('last-')) await servers.removeSnapshot(snapshot);
  for (const colour of ['blue', 'green'] as const) {
    // What was adopted stays as it is, whatever `retire` would do: no release has taken its place.
    const adopted = await platform.adoption.of(colour);
    if (adopted?.service?.to === 'pooler') await platform.routes.lead(adopted.service.name, adoptedSelector(adopted), 5432);
    if (!(await servers.letGo(colour))) await servers.remove(colour);
  }
  const labels = { 'app.kubernetes.io/instance': environment.name, 'app.kubernetes.io/managed-by': commonLabels(environment, 'database')['app.kubernetes.io/managed-by'] ?? '' };
  const journal = objectNames.journal(environment.name);
  for (const kind of kinds) {
    for (const { metadata } of await cluster.list(kind, labels)) if (kind !== 'ConfigMap' || metadata.name !== journal) await cluster.delete(kind, metadata.name);
  }
  await cluster.delete('ConfigMap', journal);
}

/** Named by the claim's uid: an environment that bears the same name later makes another one. */
async function lastSnapshot(environment: Environment, platform: KubernetesPlatform, live: Colour): Promise<LastSnapshot | undefined> {
  const { cluster, servers } = platform;
  const { keptSnapshotClass, snapshotClass } = environment.kubernetes;
  const kept = (snapshot: string): LastSnapshot => ({ name: objectNames.snapshot(environment.name, snapshot), class: keptSnapshotClass ?? snapshotClass });
  const [claim] = await claimsOf(platform, environment, live);
  const set = await cluster.read<ServerSet>('StatefulSet', objectNames.colour(environment.name, live));
  if (!claim) {
    if (set) throw noVolume(environment, live);
    const made = (await servers.snapshots()).find((snapshot) => snapshot.startsWith('last-'));
    return made === undefined ? undefined : kept(made);
  }
  const snapshot = `last-${claim.metadata.uid.slice(0, 8)}`;
  const major = (await servers.observe(live))?.major ?? environment.colours[live]?.postgres ?? 0;
  const serving = set !== undefined && set.spec.replicas > 0;
  if (serving) {
    // One of an earlier destroy that did not come to its end lacks what was written since.
    await servers.removeSnapshot(snapshot);
    await servers.stop(live, 'fast');
  }
  try {
    await takeSnapshot(cluster, environment, { colour: live, major, claim: claim.metadata.name, path: dataPath }, snapshot, environment.limits.snapshot);
    return kept(snapshot);
  } catch (error) {
    if (serving) await servers.start(live);
    throw error;
  }
}

function noVolume({ name, kubernetes: { namespace } }: Environment, live: Colour): VerdigrisError {
  return new VerdigrisError('refused', 'last-snapshot-impossible', {
    seen: `The StatefulSet of ${live} is there, and no PersistentVolumeClaim in ${namespace} is labelled as a volume of ${name}.`,
    required: 'a volume to take the last snapshot of.',
    next: 'nothing was removed. Save the data yourself, delete the StatefulSet, then destroy again; or leave everything as it is with onDestroy: keep.',
  });
}
