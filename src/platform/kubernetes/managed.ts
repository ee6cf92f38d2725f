import type { Finding } from '../../model/finding.ts';
import type { Cluster, Stored } from './cluster.ts';

interface Owned extends Stored {
  readonly metadata: Stored['metadata'] & {
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
}

/**
 * Operators that own their pods: by the group of what owns a StatefulSet or a pod, or by the labels that they put
 * there.
 */
const operators: readonly {
  readonly name: string;
  readonly groups: RegExp;
  readonly label: RegExp;
  readonly instead: string;
}[] = [
  {
    name: 'CloudNativePG',
    groups: /^postgresql\.cnpg\.io\//,
    label: /^cnpg\.io\//,
    instead: 'its own Cluster with bootstrap.initdb.import, or a dump into a new environment',
  },
  {
    name: 'the Zalando operator',
    groups: /^acid\.zalan\.do\//,
    label: /^application=spilo$|^team=|^spilo-role=/,
    instead: 'a dump of its database into a new environment',
  },
  {
    name: 'Percona Operator for PostgreSQL',
    groups: /^pgv2\.percona\.com\//,
    label: /^pgv2\.percona\.com\/|^app\.kubernetes\.io\/managed-by=percona/,
    instead: 'a dump of its database into a new environment',
  },
  {
    name: 'Crunchy PGO',
    groups: /^postgres-operator\.crunchydata\.com\//,
    label: /^postgres-operator\.crunchydata\.com\//,
    instead: 'a dump of its database into a new environment',
  },
  {
    name: 'StackGres',
    groups: /^stackgres\.io\//,
    label: /^stackgres\.io\//,
    instead: 'a dump of its database into a new environment',
  },
  {
    name: 'KubeDB',
    groups: /kubedb\.com\//,
    label: /kubedb\.com/,
    instead: 'a dump of its database into a new environment',
  },
];

/** Who would undo what a switchover does to this server; undefined where nobody would. */
export async function managedBy(
  cluster: Cluster,
  statefulSet: string,
  ...found: readonly (Stored | undefined)[]
): Promise<Pick<Finding, 'title' | 'reason' | 'fix'> | undefined> {
  // CloudNativePG has no StatefulSets: what is meant may be one of its clusters, whose pods are numbered from 1.
  const objects = [
    ...found,
    await cluster.read('Pod', `${statefulSet}-1`),
    found[0] ? undefined : await cluster.read('Pod', statefulSet),
  ].filter((object) => object !== undefined) as Owned[];
  for (const {
    metadata: { labels = {}, ownerReferences = [], name },
  } of objects) {
    const texts = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const owner = ownerReferences.find(({ controller }) => controller);
    const operator = operators.find(
      ({ groups, label }) => (owner && groups.test(owner.apiVersion)) || texts.some((text) => label.test(text)),
    );
    const foreign =
      operator?.name ??
      (owner && owner.kind !== 'StatefulSet' ? `${owner.kind} ${owner.name} (${owner.apiVersion})` : undefined);
    if (foreign === undefined) continue;
    return {
      title: `${name} belongs to ${foreign}`,
      reason: 'An operator that owns the pods reverts what a switchover changes, and fails over on its own.',
      fix:
        `What works instead: ${operator?.instead ?? 'a dump of its database into a new environment'} (create ` +
        'without kubernetes.adopt, then pg_restore through its pooler).',
    };
  }
  return undefined;
}
