import * as kubernetes from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import type { Manifest } from './manifests/manifest.ts';

/** A manifest as the plain resource that Pulumi has for its kind. */
export function plainResource(name: string, { apiVersion, kind, metadata, ...rest }: Manifest, options: pulumi.CustomResourceOptions): pulumi.CustomResource {
  const args = { metadata, ...rest } as { metadata: Manifest['metadata']; spec?: never };
  switch (kind) {
    case 'CronJob': return new kubernetes.batch.v1.CronJob(name, { metadata, ...rest } as unknown as kubernetes.batch.v1.CronJobArgs, options);
    // Its pods wait for the declaration, which is written down later, by the release.
    case 'Deployment': return new kubernetes.apps.v1.Deployment(name, { ...rest, metadata: unawaited(metadata) } as unknown as kubernetes.apps.v1.DeploymentArgs, options);
    case 'NetworkPolicy': return new kubernetes.networking.v1.NetworkPolicy(name, args, options);
    case 'PodDisruptionBudget': return new kubernetes.policy.v1.PodDisruptionBudget(name, args, options);
    case 'Role': return new kubernetes.rbac.v1.Role(name, { metadata, ...rest } as kubernetes.rbac.v1.RoleArgs, options);
    case 'RoleBinding': return new kubernetes.rbac.v1.RoleBinding(name, { metadata, ...rest } as unknown as kubernetes.rbac.v1.RoleBindingArgs, options);
    case 'Service': return new kubernetes.core.v1.Service(name, { ...args, metadata: unawaited(metadata) }, options);
    case 'ServiceAccount': return new kubernetes.core.v1.ServiceAccount(name, args, options);
    default: return new kubernetes.apiextensions.CustomResource(name, { apiVersion, kind, ...args }, options);
  }
}

function unawaited(metadata: Manifest['metadata']): Manifest['metadata'] {
  return { ...metadata, annotations: { ...metadata.annotations, 'pulumi.com/skipAwait': 'true' } };
}
