import type { Environment } from '../model/environment.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames } from './names.ts';

/** Name of the file that the declaration is in a pod. */
export const declarationFile = 'declaration.json';

export function declarationJson(raw: unknown): string {
  return JSON.stringify(raw, null, 1);
}

/**
 * What the environment was last declared as: for guards, drills and metrics, and for whoever takes it into a stack
 * later.
 */
export function declarationConfig(environment: Pick<Environment, 'name' | 'kubernetes'>, raw: unknown): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'journal', objectNames.declaration(environment.name)),
    data: { [declarationFile]: declarationJson(raw) },
  };
}

/** The declared folders of migrations, packed, under the names that they are looked for by beside the declaration. */
export function migrationsConfig(
  environment: Pick<Environment, 'name' | 'kubernetes'>,
  packed: Readonly<Record<string, Buffer>>,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'journal', objectNames.migrations(environment.name)),
    binaryData: Object.fromEntries(Object.entries(packed).map(([name, content]) => [name, content.toString('base64')])),
  };
}

/** A volume with the declaration and, where they were written down, its migrations beside it. */
export function declarationVolume(name: string, environment: Pick<Environment, 'name'>): Record<string, unknown> {
  return {
    name,
    projected: {
      sources: [
        { configMap: { name: objectNames.declaration(environment.name) } },
        { configMap: { name: objectNames.migrations(environment.name), optional: true } },
      ],
    },
  };
}
