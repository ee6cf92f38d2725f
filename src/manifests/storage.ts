import type { Colour } from '../model/colours.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, type Named } from './names.ts';

export interface Volume {
  readonly colour: Colour;
  readonly generation: number;
  /** Bytes, or a quantity as Kubernetes writes it. */
  readonly storage: number | string;
  /** The VolumeSnapshot that it starts with; empty where none is named. */
  readonly snapshot?: string;
  /** Its name, where it is not the volume of the colour's data. */
  readonly name?: string;
}

export function volumeClaim(
  environment: Named,
  { colour, generation, storage, snapshot, name = objectNames.volume(environment.name, colour, generation) }: Volume,
): Manifest {
  const { storageClass } = environment.kubernetes;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(environment, 'database', name, {
      [`${domain}/colour`]: colour,
      [`${domain}/generation`]: String(generation),
    }),
    spec: {
      // Two servers on one volume destroy it; this mode is the one that every driver knows to refuse across nodes.
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(storage) } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(snapshot === undefined
        ? {}
        : { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot } }),
    },
  };
}

/** What a snapshot is made of. */
export interface SnapshotSource {
  readonly colour: Colour;
  readonly major: number;
  readonly claim: string;
  /** Of the data directory on the volume. */
  readonly path: string;
  /** Uid of the claim. */
  readonly volume?: string;
}

/** Annotation of a snapshot: the uid of the claim that it is of. */
export const volumeAnnotation = `${domain}/volume`;

/** Annotation of a snapshot: where the data directory is on the volume. */
export const pathAnnotation = `${domain}/data-path`;

/** Annotation of a snapshot that was taken in backup mode: the backup_label that a server started from it needs. */
export const labelAnnotation = `${domain}/backup-label`;

/**
 * A snapshot of a colour's volume. `snapshot` is its name within the environment: `seed-2`. What it holds stands on
 * it: the colour may have another major by the time it is used.
 */
export function volumeSnapshot(
  environment: Named,
  { colour, major, claim, path, volume }: SnapshotSource,
  snapshot: string,
): Manifest {
  const { snapshotClass, keptSnapshotClass = snapshotClass } = environment.kubernetes;
  const chosen = /^(before-switch|last|archive)-/.test(snapshot) ? keptSnapshotClass : snapshotClass;
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: metadata(
      environment,
      'database',
      objectNames.snapshot(environment.name, snapshot),
      { [`${domain}/colour`]: colour, [`${domain}/snapshot`]: snapshot, 'app.kubernetes.io/version': String(major) },
      { [pathAnnotation]: path, ...(volume ? { [volumeAnnotation]: volume } : {}) },
    ),
    spec: {
      ...(chosen === undefined ? {} : { volumeSnapshotClassName: chosen }),
      source: { persistentVolumeClaimName: claim },
    },
  };
}
