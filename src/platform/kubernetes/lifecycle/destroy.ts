import { dataPath } from '../../../manifests/colour.ts';
import { objectNames } from '../../../manifests/names.ts';
import type { Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { CloneMarks } from './clone-marks.ts';
import { removeClones } from './clone.ts';
import { claimsOf } from './drift.ts';
import type { KubernetesPlatform } from '../platform.ts';
import { removeKubernetes } from './remove.ts';
import type { ServerSet } from '../sets.ts';
import { takeSnapshot } from '../storage.ts';

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
export async function destroyKubernetes(
  environment: Environment,
  platform: KubernetesPlatform,
  live: Colour,
): Promise<LastSnapshot | undefined> {
  await removeClones(environment, platform, await new CloneMarks(platform.cluster, environment).all());
  const last = await lastSnapshot(environment, platform, live);
  await removeKubernetes(environment, platform);
  return last;
}

/** Named by the claim's uid: an environment that bears the same name later makes another one. */
async function lastSnapshot(
  environment: Environment,
  platform: KubernetesPlatform,
  live: Colour,
): Promise<LastSnapshot | undefined> {
  const { cluster, servers } = platform;
  const { keptSnapshotClass, snapshotClass } = environment.kubernetes;
  const kept = (snapshot: string): LastSnapshot => ({
    name: objectNames.snapshot(environment.name, snapshot),
    class: keptSnapshotClass ?? snapshotClass,
  });
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
    await takeSnapshot(
      cluster,
      environment,
      { colour: live, major, claim: claim.metadata.name, path: dataPath },
      snapshot,
      environment.limits.snapshot,
    );
    return kept(snapshot);
  } catch (error) {
    if (serving) await servers.start(live);
    throw error;
  }
}

function noVolume({ name, kubernetes: { namespace } }: Environment, live: Colour): VerdigrisError {
  return new VerdigrisError('last-snapshot-impossible', {
    seen: `The StatefulSet of ${live} is there, and no PersistentVolumeClaim in ${namespace} is labelled as a volume of ${name}.`,
    required: 'a volume to take the last snapshot of.',
    next: 'nothing was removed. Save the data yourself, delete the StatefulSet, then destroy again; or leave everything as it is with onDestroy: keep.',
  });
}
