import { VerdigrisError } from '../../model/errors.ts';
import type { Stored } from './cluster.ts';

/** A StorageClass or a VolumeSnapshotClass. */
export interface Class extends Stored {
  readonly provisioner?: string;
  readonly driver?: string;
  readonly deletionPolicy?: string;
}

/** By these annotations a class is the default. */
export const defaults = {
  storage: 'storageclass.kubernetes.io/is-default-class',
  snapshot: 'snapshot.storage.kubernetes.io/is-default-class',
};

export function isDefault({ metadata }: Class, annotation: string): boolean {
  return metadata.annotations?.[annotation] === 'true';
}

/** Undefined where these credentials may not read it. */
export async function readable<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof VerdigrisError && error.id === 'cluster-forbidden') return undefined;
    throw error;
  });
}
