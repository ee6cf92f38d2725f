import type { RbacRule } from '../../manifests/rbac.ts';
import type { Cluster, Stored } from './cluster.ts';

interface RulesReview extends Stored {
  readonly status: { readonly incomplete?: boolean; readonly resourceRules: readonly RbacRule[] };
}

/**
 * What of these rules the credentials in use lack in the namespace, as `patch services`. The API server is asked;
 * nothing is written.
 */
export async function rightsMissing(cluster: Cluster, wanted: readonly RbacRule[]): Promise<string[]> {
  const review = await cluster.create<RulesReview>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    metadata: { name: '' },
    spec: { namespace: cluster.namespace },
  });
  // An authorizer that cannot list its rules is asked by each request itself.
  if (!review || review.status.incomplete === true) return [];
  const has = (list: readonly string[], item: string): boolean => list.includes(item) || list.includes('*');
  const may = (group: string, resource: string, verb: string, name: string | undefined): boolean =>
    review.status.resourceRules.some(
      ({ apiGroups, resources, verbs, resourceNames = [] }) =>
        has(apiGroups, group) &&
        has(resources, resource) &&
        has(verbs, verb) &&
        (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name))),
    );
  return wanted.flatMap(({ apiGroups: [group = ''], resources, verbs, resourceNames = [undefined] }) =>
    resources.flatMap((resource) =>
      resourceNames.flatMap((name) => {
        const lacking = verbs.filter((verb) => !may(group, resource, verb, name));
        const what = `${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` ${name}`}`;
        return lacking.length === 0 ? [] : [`${lacking.join(', ')} ${what}`];
      }),
    ),
  );
}
