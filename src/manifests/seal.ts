import { sealVariable } from '../model/kubernetes.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames, type Named } from './names.ts';

/**
 * What the declaring side says of the files that processes in the cluster act by: a Secret, since a declaration names
 * commands and its migrations are SQL, and who may change a ConfigMap may not run either.
 */
export function sealSecret(environment: Named, digests: Readonly<Record<string, string>>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'journal', objectNames.seal(environment.name)),
    type: 'Opaque',
    data: Object.fromEntries(
      Object.entries(digests).map(([file, digest]) => [file, Buffer.from(digest).toString('base64')]),
    ),
  };
}

const mountPath = '/etc/verdigris-seal';
/** Of each container that reads the declaration: a place of its own, which no ConfigMap can lay a file into. */
export const sealEnv = { name: sealVariable, value: mountPath };
export const sealMount = { name: 'seal', mountPath, readOnly: true };

export function sealVolume({ name }: Pick<Named, 'name'>): Record<string, unknown> {
  return { name: 'seal', secret: { secretName: objectNames.seal(name) } };
}
