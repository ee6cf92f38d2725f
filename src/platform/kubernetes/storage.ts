import {
  labelAnnotation,
  volumeAnnotation,
  pathAnnotation,
  volumeSnapshot,
  type SnapshotSource,
} from '../../manifests/storage.ts';
import { domain, selectorLabels, type Named } from '../../manifests/names.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { Cluster, Stored } from './cluster.ts';
import { untilGone } from './pod-waits.ts';

export interface SnapshotObject extends Stored {
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly boundVolumeSnapshotContentName?: string;
    readonly restoreSize?: string;
    readonly creationTime?: string;
    readonly error?: { readonly message?: string };
  };
}

/** Milliseconds that an error of no known kind may last: drivers report passing ones and try again. */
const errorPatience = 15_000;
/** Milliseconds in which some controller takes a snapshot up, one that has just lost its leader too. */
const silencePatience = 90_000;

/** What gRPC says of an error: whether the same call can succeed later (grpc.io, "Status codes"). */
const passing = /\b(DeadlineExceeded|Unavailable|Aborted|ResourceExhausted|Cancelled)\b|context deadline exceeded/;

const final =
  /\b(InvalidArgument|NotFound|AlreadyExists|PermissionDenied|Unauthenticated|Unimplemented|FailedPrecondition|OutOfRange)\b/;

/**
 * Makes a snapshot and waits until a volume can be made of it. One that fails is removed, and the reason kept: an error
 * that the driver goes on to retry is waited for, one that stays ends it at once. Never takes for its own what another
 * volume's snapshot is, or one that is being deleted.
 */
export async function takeSnapshot(
  cluster: Cluster,
  environment: Named,
  source: SnapshotSource,
  snapshot: string,
  limit: number,
): Promise<SnapshotObject> {
  const claim = await cluster.read<Stored>('PersistentVolumeClaim', source.claim);
  const manifest = volumeSnapshot(environment, { ...source, volume: claim?.metadata.uid ?? '' }, snapshot);
  const { name } = manifest.metadata;
  await makeOwn(cluster, manifest, claim?.metadata.uid, limit);
  const began = performance.now();
  let found: SnapshotObject | undefined;
  let failing: number | undefined;
  const { volumeSnapshotClassName } = manifest['spec'] as { volumeSnapshotClassName?: string };
  const named = volumeSnapshotClassName ?? "(the cluster's default)";
  const next = `see the driver's log and the snapshot class ${named}; nothing else was changed.`;
  const failed = (seen: string): VerdigrisError =>
    new VerdigrisError('snapshot-failed', {
      seen: `The VolumeSnapshot ${cluster.namespace}/${name} fails: ${seen}`,
      required: 'a snapshot that becomes ready.',
      next,
      facts: { cause: seen },
    });
  try {
    return await waitFor(
      async () => {
        found = await cluster.read<SnapshotObject>('VolumeSnapshot', name);
        const { readyToUse, error } = found?.status ?? {};
        if (found && readyToUse) return found;
        failing = error ? (failing ?? performance.now()) : undefined;
        const message = error?.message ?? 'no reason given';
        if (failing !== undefined && final.test(message)) throw failed(message);
        if (failing !== undefined && !passing.test(message) && performance.now() - failing > errorPatience)
          throw failed(message);
        if (isSilent(found) && performance.now() - began > silencePatience) throw failed(silent);
        return undefined;
      },
      {
        limit,
        every: 50,
        slowest: 1_000,
        id: 'snapshot-not-ready',
        what: `a VolumeSnapshot ${cluster.namespace}/${name} that is ready to use`,
        next,
      },
      () => found?.status?.error?.message ?? (isSilent(found) ? silent : 'its driver is at work and says nothing'),
    );
  } catch (error) {
    await cluster.delete('VolumeSnapshot', name).catch(() => undefined);
    throw error;
  }
}

const silent = 'nobody has taken it up: is the snapshot-controller running, and the driver of its class?';

function isSilent(found: SnapshotObject | undefined): boolean {
  return found?.status === undefined && (found?.metadata.finalizers ?? []).length === 0;
}

/** Creates it, or finds the one that an earlier run of the same step has made of the same volume. */
async function makeOwn(
  cluster: Cluster,
  manifest: ReturnType<typeof volumeSnapshot>,
  volume: string | undefined,
  limit: number,
): Promise<void> {
  const { name } = manifest.metadata;
  if (await cluster.create(manifest)) return;
  const there = await cluster.read<SnapshotObject>('VolumeSnapshot', name);
  if (there?.metadata.deletionTimestamp !== undefined) {
    await untilGone(cluster, 'VolumeSnapshot', name, limit);
    return makeOwn(cluster, manifest, volume, limit);
  }
  const other = there?.metadata.annotations?.[volumeAnnotation];
  if (other === undefined || other === volume) return;
  throw new VerdigrisError('snapshot-taken', {
    seen: `There is a VolumeSnapshot ${cluster.namespace}/${name} already, and it is of another volume (uid ${other}).`,
    required: 'a name of its own: a snapshot that this release did not make is neither used nor removed.',
    next: 'check what it holds; if nobody needs it, delete it, then run the same command again.',
    facts: { name, volume: other },
  });
}

/** Names within the environment of the snapshots that are there. */
export async function listSnapshots(cluster: Cluster, environment: Named): Promise<string[]> {
  const found = await cluster.list<SnapshotObject>('VolumeSnapshot', selectorLabels(environment, 'database'));
  return found.flatMap(({ metadata }) => metadata.labels?.[`${domain}/snapshot`] ?? []);
}

/** What a snapshot holds, as it says itself; undefined where it is gone. */
export async function snapshotContent(
  cluster: Cluster,
  name: string,
): Promise<
  | {
      major: number | undefined;
      path: string | undefined;
      label: string | undefined;
      ready: boolean;
      error: string | undefined;
    }
  | undefined
> {
  const found = await cluster.read<SnapshotObject>('VolumeSnapshot', name);
  const { labels = {}, annotations = {} } = found?.metadata ?? {};
  const major = labels['app.kubernetes.io/version'];
  const { readyToUse = false, error } = found?.status ?? {};
  return (
    found && {
      major: major === undefined ? undefined : Number(major),
      path: annotations[pathAnnotation],
      label: annotations[labelAnnotation],
      ready: readyToUse,
      error: error?.message,
    }
  );
}
