import { volumeClaim } from '../../manifests/storage.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import { snapshotMissing } from '../../model/failures.ts';
import type { Cluster, Stored } from './cluster.ts';
import type { SnapshotObject } from './storage.ts';

export interface ClaimObject extends Stored {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
  readonly status?: { readonly phase?: string };
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
    throw snapshotMissing(`The VolumeSnapshot ${cluster.namespace}/${name} is ${source ? 'not ready' : 'not there'}.`);
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
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** Bytes, or whatever it counts, of a quantity; 0 where it is none. */
export function bytes(quantity: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(number) * (factors[unit] ?? 1);
}
