import {
  labelAnnotation,
  pathAnnotation,
  volumeClaim,
  volumeSnapshot,
  type SnapshotSource,
} from '../../manifests/storage.ts';
import { domain, objectNames, selectorLabels, type Named } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { Cluster, Stored } from './cluster.ts';

export interface SnapshotObject extends Stored {
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly creationTime?: string;
    readonly error?: { readonly message?: string };
  };
}

export interface ClaimObject extends Stored {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
  readonly status?: { readonly phase?: string };
}

/** Milliseconds that a snapshot's error may stand: drivers report passing ones and try again. */
const errorPatience = 15_000;

/** Makes a snapshot and waits until a volume can be made of it. One that fails is removed, and the reason kept. */
export async function takeSnapshot(
  cluster: Cluster,
  environment: Named,
  source: SnapshotSource,
  snapshot: string,
  limit: number,
): Promise<SnapshotObject> {
  const manifest = volumeSnapshot(environment, source, snapshot);
  const { name } = manifest.metadata;
  await cluster.create(manifest);
  let found: SnapshotObject | undefined;
  let failing: number | undefined;
  const next = 'see `kubectl describe volumesnapshot` and the snapshot class; nothing else was changed.';
  try {
    return await waitFor(
      async () => {
        found = await cluster.read<SnapshotObject>('VolumeSnapshot', name);
        const { readyToUse, error } = found?.status ?? {};
        if (found && readyToUse) return found;
        failing = error ? (failing ?? Date.now()) : undefined;
        if (failing !== undefined && Date.now() - failing > errorPatience)
          throw new VerdigrisError('snapshot-failed', {
            seen: `The VolumeSnapshot ${cluster.namespace}/${name} fails: ${error?.message ?? 'no reason given'}.`,
            required: 'a snapshot that becomes ready.',
            next,
          });
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
      () => found?.status?.error?.message ?? 'it says nothing',
    );
  } catch (error) {
    await cluster.delete('VolumeSnapshot', name).catch(() => undefined);
    throw error;
  }
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

/** Makes the volume of a colour's life: empty, or of a snapshot and then no smaller than it. */
export async function makeVolume(
  cluster: Cluster,
  environment: Named,
  colour: Colour,
  generation: number,
  name?: string,
  own = objectNames.volume(environment.name, colour, generation),
): Promise<void> {
  const { storage } = environment.kubernetes;
  if (name === undefined) {
    await cluster.create(volumeClaim(environment, { colour, generation, storage }));
    return;
  }
  const source = await cluster.read<SnapshotObject>('VolumeSnapshot', name);
  const claim = await cluster.read<ClaimObject>('PersistentVolumeClaim', own);
  if (claim) return;
  if (source?.status?.readyToUse !== true)
    throw new VerdigrisError('snapshot-missing', {
      seen: `The VolumeSnapshot ${cluster.namespace}/${name} is ${source ? 'not ready' : 'not there'}.`,
      required: 'a whole snapshot.',
      next: 'run `verdigris abandon`, then seed again.',
    });
  const restored = bytes(source.status.restoreSize ?? '0');
  await cluster.create(
    volumeClaim(environment, {
      colour,
      generation,
      storage: restored > storage ? (source.status.restoreSize ?? storage) : storage,
      snapshot: name,
      name: own,
    }),
  );
}

const factors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** Bytes of a quantity; 0 where it is none. */
export function bytes(quantity: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(number) * (factors[unit] ?? 1);
}
