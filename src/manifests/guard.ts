import type { Environment } from '../model/environment.ts';
import { declarationConfig } from './declaration.ts';
import type { Manifest } from './manifest.ts';
import type { Guard } from './guard-container.ts';
import { metadata, objectNames } from './names.ts';
import { guardRules, serviceRole } from './rbac.ts';

/** What the guard beside the poolers needs; none where no image of Verdigris is declared. */
export function guardManifests(
  environment: Environment,
  raw: unknown,
): { guard: Guard | undefined; manifests: readonly Manifest[] } {
  const { verdigris } = environment.kubernetes.images;
  if (verdigris === undefined) return { guard: undefined, manifests: [] };
  const serviceAccount = objectNames.guard(environment.name);
  const declaration = declarationConfig(environment, raw);
  return {
    guard: { image: verdigris, declaration: declaration.metadata.name, serviceAccount },
    manifests: [
      ...serviceRole(environment, serviceAccount, guardRules(environment), 'pooler'),
      guardQuestions(environment),
      declaration,
    ],
  };
}

/** Where guards are asked, and answer. Without data, so that making it again takes nothing away. */
function guardQuestions(environment: Environment): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'pooler', objectNames.guard(environment.name)),
  };
}
