import { resources as sizes } from '../../manifests/security.ts';
import type { Environment } from '../../model/environment.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Cluster, Stored } from './cluster.ts';
import { bytes } from './volumes.ts';

interface QuotaObject extends Stored {
  readonly spec?: { readonly scopes?: readonly string[]; readonly scopeSelector?: unknown };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/**
 * What a server asks for while it is made, and with `making` the poolers too: the names are those of a ResourceQuota.
 */
export function needs({ kubernetes }: Environment, making: boolean): Record<string, number> {
  const { resources, storage, snapshots, pooler } = kubernetes;
  const claims = snapshots === 'backup' && !making ? 2 : 1;
  const poolers = making ? pooler.replicas : 0;
  const [server, each] = [sizes(resources), sizes(pooler.resources)];
  const both = (kind: 'requests' | 'limits', resource: 'cpu' | 'memory'): number =>
    bytes(server[kind][resource] ?? '0') + poolers * bytes(each[kind][resource] ?? '0');
  return {
    cpu: both('requests', 'cpu'),
    'requests.cpu': both('requests', 'cpu'),
    memory: both('requests', 'memory'),
    'requests.memory': both('requests', 'memory'),
    'limits.cpu': both('limits', 'cpu'),
    'limits.memory': both('limits', 'memory'),
    pods: 1 + poolers,
    'count/pods': 1 + poolers,
    'count/statefulsets.apps': 1,
    persistentvolumeclaims: claims,
    'count/persistentvolumeclaims': claims,
    'requests.storage': claims * storage,
    'count/volumesnapshots.snapshot.storage.k8s.io': making ? 0 : claims,
  };
}

/**
 * What a ResourceQuota of the namespace has no room for; one with scopes may be about other pods and is left to the API
 * server.
 */
export async function roomFindings(environment: Environment, cluster: Cluster, making: boolean): Promise<Finding[]> {
  const wanted = needs(environment, making);
  const quotas = await cluster.list<QuotaObject>('ResourceQuota', {});
  return quotas
    .filter(({ spec }) => (spec?.scopes ?? []).length === 0 && spec?.scopeSelector === undefined)
    .flatMap(({ metadata: { name }, status }) =>
      Object.entries(status?.hard ?? {}).flatMap(([resource, hard]) => {
        const used = status?.used?.[resource] ?? '0';
        const need = wanted[resource];
        if (need === undefined || bytes(used) + need <= bytes(hard)) return [];
        return [
          finding('quota-short', {
            title: `the ResourceQuota ${name} has no room for ${making ? 'the server and its poolers' : 'a candidate'}`,
            objects: [`${resource}: ${used} of ${hard} used, ${need} more needed`],
            reason:
              'The pod or the volume would be refused, with a slot on the live server that keeps its log meanwhile.',
            fix: 'Have the quota raised (a release needs a second server and volume for as long as it lasts), or declare less.',
          }),
        ];
      }),
    );
}
