import { objectNames } from '../../manifests/names.ts';
import { labelAnnotation, type SnapshotSource } from '../../manifests/storage.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { BackupMode, SnapshotFacts } from '../port/servers.ts';
import type { Cluster } from './cluster.ts';
import { untilGone } from './pod-waits.ts';
import { readable, type Class } from './classes.ts';
import { takeSnapshot, type SnapshotObject } from './storage.ts';
import { bytes } from './volumes.ts';

/** Of the name of a snapshot's other half, in backup mode. */
export const logSuffix = '-log';

/**
 * The storage's own snapshot. Atomic, it is crash-consistent: recovery replays what it holds. Otherwise it is two, see
 * `inBackupMode`.
 */
export async function snapshotColour(
  cluster: Cluster,
  environment: Environment,
  source: SnapshotSource,
  name: string,
  backup: BackupMode,
): Promise<SnapshotFacts> {
  const take = (each: string): Promise<SnapshotObject> =>
    takeSnapshot(cluster, environment, source, each, environment.limits.snapshot);
  const backingUp = environment.kubernetes.snapshots === 'backup';
  const taken = backingUp ? await inBackupMode(cluster, environment, name, backup, take) : await take(name);
  return { method: backingUp ? 'copy' : 'atomic', bytes: bytes(taken.status?.restoreSize ?? '0') };
}

/**
 * The data between pg_backup_start and pg_backup_stop, and then, by a second snapshot, the log: every segment up to the
 * end of the backup is complete by then, and what is torn after it ends the replay, which is X. The segments are still
 * there because the release's slot is older. The label is written last: a snapshot without it is not whole.
 */
async function inBackupMode(
  cluster: Cluster,
  environment: Environment,
  name: string,
  backup: BackupMode,
  take: (name: string) => Promise<SnapshotObject>,
): Promise<SnapshotObject> {
  const object = objectNames.snapshot(environment.name, name);
  const before = await cluster.read<SnapshotObject>('VolumeSnapshot', object);
  if (before?.metadata.annotations?.[labelAnnotation] !== undefined) return before;
  await removeSnapshot(cluster, environment, name);
  const { label } = await backup(async () => void (await take(name)));
  await take(`${name}${logSuffix}`);
  return cluster.merge<SnapshotObject>('VolumeSnapshot', object, {
    metadata: { annotations: { [labelAnnotation]: label } },
  });
}

/** Milliseconds that the end of a snapshot is waited for. */
const goneLimit = 5_000;

/**
 * Asks for the end of a snapshot. One that its driver keeps for longer (finalizers, a sidecar that is down) is nobody's
 * concern: its name is not used again, and what costs the live server must not wait for it. Says which contents stay,
 * by their class's deletionPolicy.
 */
export async function removeSnapshot(
  cluster: Cluster,
  environment: Environment,
  name: string,
): Promise<string | undefined> {
  const object = objectNames.snapshot(environment.name, name);
  const both = [object, `${object}${logSuffix}`];
  const staying = (await Promise.all(both.map((each) => lastingContent(cluster, each)))).filter(Boolean);
  for (const each of both) await cluster.delete('VolumeSnapshot', each);
  await Promise.all(both.map((each) => untilGone(cluster, 'VolumeSnapshot', each, goneLimit))).catch(
    (error: unknown) => {
      if (!(error instanceof VerdigrisError) || error.id !== 'timed-out') throw error;
    },
  );
  return staying.length === 0
    ? undefined
    : `VolumeSnapshotContent ${staying.join(', ')} stays, with its copy (deletionPolicy Retain)`;
}

/** The content that outlives a snapshot; undefined where there is none, or its class cannot be read. */
async function lastingContent(cluster: Cluster, name: string): Promise<string | undefined> {
  const found = await cluster.read<SnapshotObject & { spec?: { volumeSnapshotClassName?: string } }>(
    'VolumeSnapshot',
    name,
  );
  const content = found?.status?.boundVolumeSnapshotContentName;
  const named = found?.spec?.volumeSnapshotClassName;
  if (content === undefined || named === undefined) return undefined;
  const its = await readable(cluster.read<Class>('VolumeSnapshotClass', named));
  return its?.deletionPolicy === 'Retain' ? content : undefined;
}
