import type { Colour } from '../model/colours.ts';
import { headlessService } from './headless-service.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, type Named } from './names.ts';

/** A server that somebody else's manifests made, taken over as a colour as it is. */
export interface Adopted {
  readonly colour: Colour;
  readonly statefulSet: string;
  readonly claim: string;
  /** Of its data directory within the volume; empty where the volume's root is it. */
  readonly path: string;
  readonly major: number;
  readonly release: string;
  readonly atRetire: 'keep' | 'remove';
  /** A Service that clients use already, and where it leads from the adoption on. */
  readonly service?: { readonly name: string; readonly to: 'live' | 'pooler' } | undefined;
}

/** The controller of a StatefulSet puts this label on each of its pods. */
export const podNameLabel = 'statefulset.kubernetes.io/pod-name';

/** Finds a pod that bears no label of ours. */
export function adoptedSelector({ statefulSet }: Pick<Adopted, 'statefulSet'>): Record<string, string> {
  return { [podNameLabel]: `${statefulSet}-0` };
}

/** Kept as long as the adopted server is a colour: nothing on its own objects tells. */
export function adoptedRecord(environment: Named, adopted: Adopted): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'database', objectNames.adopted(environment.name), {
      [`${domain}/colour`]: adopted.colour,
    }),
    data: { 'adopted.json': JSON.stringify(adopted) },
  };
}

/** By this name the other colour reaches it for replication. */
export function adoptedService(environment: Named, { colour, statefulSet }: Adopted): Manifest {
  return headlessService(environment, colour, adoptedSelector({ statefulSet }));
}
