import { dataPath } from '../../../manifests/colour.ts';
import { objectNames } from '../../../manifests/names.ts';
import type { Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { streamPrefix } from '../../../model/names.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { unpublish } from '../../../postgres/stream/publication.ts';
import { CloneMarks } from './clone-marks.ts';
import { removeClones } from './clone.ts';
import { claimsOf } from './drift.ts';
import type { KubernetesParts } from '../parts.ts';
import { removeKubernetes } from './remove.ts';
import type { Stored } from '../cluster.ts';
import type { ServerSet } from '../sets.ts';
import { takeSnapshot } from '../storage.ts';
import { connectionIn } from '../../connection-in.ts';

/** What a destroy leaves. */
export interface LastSnapshot {
  /** The VolumeSnapshot's name in the namespace. */
  readonly name: string;
  /** Its class; the cluster's default where none is declared. */
  readonly class: string | undefined;
}

/**
 * Removes everything that an environment has in its namespace, the volumes too, but for a last snapshot of what was
 * live, taken of a server that was shut down. Cut short, it is repeated; the journal goes last. A snapshot that fails
 * leaves the environment as it was, but for the stream of a release under way, which is left for good.
 */
export async function destroyKubernetes(
  environment: Environment,
  platform: KubernetesParts,
  live: Colour,
): Promise<LastSnapshot[]> {
  await removeClones(environment, platform, await new CloneMarks(platform.cluster, environment).all());
  const kept = await keepLast(environment, platform, live);
  await removeKubernetes(environment, platform);
  const all = await lastSnapshots(environment, platform);
  return kept.length === 0 ? all : all.filter(({ name }) => kept.includes(name));
}

/** The snapshots that destroys of an environment of this name have left. */
export async function lastSnapshots(environment: Environment, { servers }: KubernetesParts): Promise<LastSnapshot[]> {
  const { keptSnapshotClass, snapshotClass } = environment.kubernetes;
  return (await servers.snapshots())
    .filter((snapshot) => snapshot.startsWith('last-'))
    .map((snapshot) => ({
      name: objectNames.snapshot(environment.name, snapshot),
      class: keptSnapshotClass ?? snapshotClass,
    }));
}

/** Named by the claim's uid: an environment that bears the same name later makes another one. */
async function keepLast(environment: Environment, platform: KubernetesParts, live: Colour): Promise<string[]> {
  const { cluster, servers } = platform;
  const set = await cluster.read<ServerSet>('StatefulSet', objectNames.colour(environment.name, live));
  const volumes = await volumesOf(environment, platform, live);
  if (set && volumes.length === 0) throw noVolume(environment, live);
  const major = (await servers.observe(live))?.major ?? environment.colours[live]?.postgres ?? 0;
  const serving = set !== undefined && set.spec.replicas > 0;
  const named = (volume: Stored): string => `last-${volume.metadata.uid.slice(0, 8)}`;
  if (serving) {
    // One of an earlier destroy that did not come to its end lacks what was written since.
    for (const volume of volumes) await servers.removeSnapshot(named(volume));
    await endStreams(environment, platform, live);
    await servers.stop(live, 'fast');
  }
  try {
    for (const volume of volumes)
      await takeSnapshot(
        cluster,
        environment,
        { colour: live, major, claim: volume.metadata.name, path: dataPath },
        named(volume),
        environment.limits.snapshot,
      );
    return volumes.map((volume) => objectNames.snapshot(environment.name, named(volume)));
  } catch (error) {
    if (serving) await servers.start(live);
    throw error;
  }
}

/**
 * A release under way has a slot on the live colour, and a server that is no publisher does not start with one (`logical
 * replication slot … exists, but wal_level < logical`). Of a server that does not answer the volume is kept as it is.
 */
async function endStreams(environment: Environment, { servers }: KubernetesParts, live: Colour): Promise<void> {
  const settings = await connectionIn(servers, live, environment.database);
  await withOwnSession(settings, 'destroy', async (client) => {
    const slots = await rows<{ name: string }>(
      client,
      'SELECT slot_name AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1)',
      [streamPrefix(environment.name)],
    );
    for (const { name } of slots) await unpublish(client, name);
  }).catch(() => undefined);
}

/**
 * What the live server has mounted, whatever other volumes of its colour there are; where no server tells, all of them.
 */
async function volumesOf(environment: Environment, platform: KubernetesParts, live: Colour): Promise<Stored[]> {
  const claims = (await claimsOf(platform, environment, live)).filter(
    ({ metadata }) => !metadata.name.endsWith('-log'),
  );
  const mounted = await platform.servers.claimOf(live);
  return mounted === undefined ? claims : claims.filter(({ metadata }) => metadata.uid === mounted);
}

function noVolume({ name, kubernetes: { namespace } }: Environment, live: Colour): VerdigrisError {
  return new VerdigrisError('last-snapshot-impossible', {
    seen: `The StatefulSet of ${live} is there, and no PersistentVolumeClaim in ${namespace} is labelled as a volume of ${name}.`,
    required: 'a volume to take the last snapshot of.',
    next: 'nothing was removed. Save the data yourself, delete the StatefulSet, then destroy again; or leave everything as it is with onDestroy: keep.',
  });
}
