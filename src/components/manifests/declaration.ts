import type { Environment } from '../../model/environment.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames } from './names.ts';

/** What the environment was last declared as: for guards, drills and metrics, and for whoever takes it into a stack later. */
export function declarationConfig(environment: Pick<Environment, 'name' | 'kubernetes'>, raw: unknown): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(environment, 'journal', objectNames.declaration(environment.name)), data: { 'declaration.json': JSON.stringify(raw, null, 1) } };
}
