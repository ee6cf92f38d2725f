import * as kubernetes from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import type { Manifest } from './manifests/manifest.ts';

/** A manifest as the plain resource that Pulumi has for its kind. */
export function plainResource(name: string, { apiVersion, kind, metadata, ...rest }: Manifest, options: pulumi.CustomResourceOptions): pulumi.CustomResource {
  const args = { metadata, ...rest } as { metadata: Manifest['metadata']; spec?: never };
  switch (kind) {
    case 'NetworkPolicy': return new kubernetes.networking.v1.NetworkPolicy(name, args, options);
    case 'PodDisruptionBudget': return new kubernetes.policy.v1.PodDisruptionBudget(name, args, options);
    default: return new kubernetes.apiextensions.CustomResource(name, { apiVersion, kind, ...args }, options);
  }
}
