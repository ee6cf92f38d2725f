import type { Environment } from '../../model/environment.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { podsToCome, type PodSpec } from './admission.ts';
import { readable } from './classes.ts';
import type { Cluster, Stored } from './cluster.ts';
import { bytes } from './volumes.ts';

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

interface Node extends Stored {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}

/** What `kubectl cordon` sets besides the field. */
const cordon = 'node.kubernetes.io/unschedulable';

/**
 * Whether any node may take the pods to come, by what does not change with the load: a cordon, taints, labels, its size.
 * Nodes belong to the cluster: whoever may not read them learns it from the pod that waits.
 */
export async function nodeFindings(environment: Environment, cluster: Cluster, making: boolean): Promise<Finding[]> {
  const nodes = (await readable(cluster.list<Node>('Node', {}))) ?? [];
  const pods = nodes.length === 0 ? [] : await podsToCome(environment, cluster, making);
  return pods.flatMap(({ metadata: { name }, spec }) => {
    const kept = nodes.map((node) => ({ node: node.metadata.name, why: obstacle(node, spec) }));
    if (kept.some(({ why }) => why === undefined)) return [];
    return [
      finding('no-node', {
        title: `no node would take the pod ${name} now`,
        objects: kept.map(({ node, why }) => `${node}: ${why ?? ''}`),
        reason: making
          ? 'The pod would wait, and nothing would be ready.'
          : 'The pod would wait, with a slot on the live server that keeps its log meanwhile, until limits.pod.',
      }),
    ];
  });
}

/** Why the node takes no such pod; undefined where it may. */
function obstacle({ metadata, spec, status }: Node, pod: PodSpec): string | undefined {
  const tolerated = (taint: Taint) => (pod.tolerations ?? []).some((each) => tolerates(each, taint));
  if (spec?.unschedulable === true && !tolerated({ key: cordon, effect: 'NoSchedule' })) return 'is cordoned';
  const taint = spec?.taints?.find((each) => each.effect !== 'PreferNoSchedule' && !tolerated(each));
  if (taint) return `has the taint ${taint.key}${taint.value === undefined ? '' : `=${taint.value}`}:${taint.effect}`;
  const label = Object.entries(pod.nodeSelector ?? {}).find(([key, value]) => metadata.labels?.[key] !== value);
  if (label) return `has no label ${label[0]}=${label[1]}`;
  return (['cpu', 'memory'] as const)
    .map((resource) => {
      const has = status?.allocatable?.[resource];
      const wanted = pod.containers.map(({ resources }) => bytes(resources?.requests?.[resource] ?? '0'));
      const all = wanted.reduce((sum, each) => sum + each, 0);
      return has === undefined || bytes(has) >= all
        ? undefined
        : `has ${resource} ${has} in all, less than it asks for`;
    })
    .find((each) => each !== undefined);
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''));
}
