import type { Colour } from '../../model/colours.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, type Named } from './names.ts';

export interface Volume {
  readonly colour: Colour;
  readonly generation: number;
  /** Bytes, or a quantity as Kubernetes writes it. */
  readonly storage: number | string;
  /** The VolumeSnapshot that it starts with; empty where none is named. */
  readonly snapshot?: string;
}

export function volumeClaim(environment: Named, { colour, generation, storage, snapshot }: Volume): Manifest {
  const { storageClass } = environment.kubernetes;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(environment, 'database', objectNames.volume(environment.name, colour, generation), { [`${domain}/colour`]: colour, [`${domain}/generation`]: String(generation) }),
    spec: {
      // Two servers on one volume destroy it; this mode is the one that every driver knows to refuse across nodes.
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(storage) } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(snapshot === undefined ? {} : { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot } }),
    },
  };
}

/** A snapshot of a colour's volume, which holds data of `major`. `snapshot` is its name within the environment: `seed-2`. */
export function volumeSnapshot(environment: Named, colour: Colour, major: number, claim: string, snapshot: string): Manifest {
  const { snapshotClass, keptSnapshotClass = snapshotClass } = environment.kubernetes;
  const chosen = /^(before-switch|last)-/.test(snapshot) ? keptSnapshotClass : snapshotClass;
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: metadata(environment, 'database', objectNames.snapshot(environment.name, snapshot), { [`${domain}/colour`]: colour, [`${domain}/snapshot`]: snapshot, 'app.kubernetes.io/version': String(major) }),
    spec: { ...(chosen === undefined ? {} : { volumeSnapshotClassName: chosen }), source: { persistentVolumeClaimName: claim } },
  };
}
