import type { Environment } from '../model/environment.ts';
import { declarationConfig } from './declaration.ts';
import type { Manifest } from './manifest.ts';
import type { Guard } from './pooler.ts';
import { guardRules, serviceRole } from './rbac.ts';

/** What the guard beside the poolers needs; none where no image of Verdigris is declared. */
export function guardManifests(
  environment: Environment,
  raw: unknown,
): { guard: Guard | undefined; manifests: readonly Manifest[] } {
  const { verdigris } = environment.kubernetes.images;
  if (verdigris === undefined) return { guard: undefined, manifests: [] };
  const serviceAccount = `${environment.name}-guard`;
  const declaration = declarationConfig(environment, raw);
  return {
    guard: { image: verdigris, declaration: declaration.metadata.name, serviceAccount },
    manifests: [...serviceRole(environment, serviceAccount, guardRules, 'pooler'), declaration],
  };
}
