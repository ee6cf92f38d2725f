import { guardContainerName } from '../../manifests/guard-container.ts';
import { objectNames } from '../../manifests/names.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Cluster, Stored } from './cluster.ts';

type PoolerDeployment = Stored & {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly name: string }[] } };
  };
};

/** What the poolers lack, by what is there and not by what is declared. */
export async function poolerFindings(cluster: Cluster, environment: string): Promise<Finding[]> {
  const name = objectNames.pooler(environment);
  const found = await cluster.read<PoolerDeployment>('Deployment', name);
  if (!found || found.spec.template.spec.containers.some((container) => container.name === guardContainerName))
    return [];
  return [
    finding('no-guard', {
      objects: [`Deployment ${cluster.namespace}/${name}`],
      reason:
        'PgBouncer holds until it is resumed, and only the journal knows which colour may then take writes. ' +
        'If the operator dies in a switchover, clients wait until somebody runs a command.',
    }),
  ];
}
