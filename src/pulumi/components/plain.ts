import * as kubernetes from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import type { Manifest } from '../../manifests/manifest.ts';

/** A manifest as the plain resource that Pulumi has for its kind. */
export function plainResource(
  name: string,
  { apiVersion, kind, metadata, ...rest }: Manifest,
  options: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const args = { metadata, ...rest } as never;
  switch (kind) {
    case 'CronJob':
      return new kubernetes.batch.v1.CronJob(name, args, options);
    case 'Deployment':
      return new kubernetes.apps.v1.Deployment(name, args, options);
    case 'NetworkPolicy':
      return new kubernetes.networking.v1.NetworkPolicy(name, args, options);
    case 'PodDisruptionBudget':
      return new kubernetes.policy.v1.PodDisruptionBudget(name, args, options);
    case 'Role':
      return new kubernetes.rbac.v1.Role(name, args, options);
    case 'RoleBinding':
      return new kubernetes.rbac.v1.RoleBinding(name, args, options);
    case 'Service':
      return new kubernetes.core.v1.Service(name, args, options);
    case 'ServiceAccount':
      return new kubernetes.core.v1.ServiceAccount(name, args, options);
    default:
      return new kubernetes.apiextensions.CustomResource(
        name,
        { apiVersion, kind, metadata, ...rest } as kubernetes.apiextensions.CustomResourceArgs,
        options,
      );
  }
}
