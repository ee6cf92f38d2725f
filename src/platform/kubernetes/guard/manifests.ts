import type { Manifest } from '../../../components/manifests/manifest.ts';
import { metadata } from '../../../components/manifests/names.ts';
import type { Guard } from '../../../components/manifests/pooler.ts';
import { guardRules, serviceRole } from '../../../components/manifests/rbac.ts';
import type { Environment } from '../../../model/environment.ts';

/** What the guard beside the poolers needs; none where no image of Verdigris is declared. */
export function guardManifests(environment: Environment, raw: unknown): { guard: Guard | undefined; manifests: readonly Manifest[] } {
  const { verdigris } = environment.kubernetes.images;
  if (verdigris === undefined) return { guard: undefined, manifests: [] };
  const name = `${environment.name}-guard`;
  return {
    guard: { image: verdigris, declaration: name, serviceAccount: name },
    manifests: [
      ...serviceRole(environment, name, guardRules),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(environment, 'pooler', name), data: { 'declaration.json': JSON.stringify(raw, null, 1) } },
    ],
  };
}
