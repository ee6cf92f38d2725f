import type { DeclarationIssue } from './declaration-issues.ts';
import { asObject } from './raw.ts';

/** What only a cluster has, by where it is declared on the platform local. */
export function clusterOnly(top: Record<string, unknown>): DeclarationIssue[] {
  const instead = {
    job: 'is a Job of a cluster: on the platform local declare a command',
    configMap: 'is a ConfigMap of a cluster: on the platform local declare a file',
  };
  const named = {
    hooks: top['hooks'],
    'delivery.metrics': asObject(top['delivery'])['metrics'],
    flagStores: top['flagStores'],
  };
  const issues = Object.entries(named).flatMap(([path, all]) =>
    Object.entries(asObject(all)).flatMap(([name, each]) =>
      Object.entries(instead)
        .filter(([key]) => asObject(each)[key] !== undefined)
        .map(([key, message]) => ({ path: `${path}.${name}.${key}`, message })),
    ),
  );
  if (asObject(top['retention'])['archive'] !== undefined)
    issues.push({
      path: 'retention.archive',
      message:
        'is a VolumeSnapshot of a cluster: on the platform local take a pg_basebackup of the retained colour before `retire`',
    });
  return issues;
}

/** What keys of `kubernetes` demand of each other and of the rest. */
export function contradictionsOfCluster(top: Record<string, unknown>): DeclarationIssue[] {
  return [...missingImages(top), ...contradictionsOfAdoption(top)];
}

function missingImages(top: Record<string, unknown>): DeclarationIssue[] {
  const cluster = asObject(top['kubernetes']);
  const images = asObject(cluster['images']);
  const issues: DeclarationIssue[] = [];
  if (top['platform'] === 'kubernetes' && images['pooler'] === undefined)
    issues.push({
      path: 'kubernetes.images.pooler',
      message: 'is not declared: PgBouncer has no official image, so name the one that your cluster trusts',
    });
  if (images['verdigris'] !== undefined) return issues;
  if (asObject(cluster['drill'])['schedule'] !== undefined)
    issues.push({
      path: 'kubernetes.drill.schedule',
      message: 'needs kubernetes.images.verdigris: drills run in its image',
    });
  if (asObject(top['delivery'])['controller'] === true)
    issues.push({ path: 'delivery.controller', message: 'needs kubernetes.images.verdigris: it runs in its image' });
  if (asObject(cluster['metrics'])['enabled'] === true)
    issues.push({
      path: 'kubernetes.metrics.enabled',
      message: 'needs kubernetes.images.verdigris: the metrics are served from its image',
    });
  return issues;
}

function contradictionsOfAdoption(top: Record<string, unknown>): DeclarationIssue[] {
  const cluster = asObject(top['kubernetes']);
  if (asObject(cluster['adopt'])['statefulSet'] === undefined) return [];
  const issues: DeclarationIssue[] = [];
  if (cluster['istio'] === true)
    issues.push({
      path: 'kubernetes.istio',
      message:
        "needs labels of ours on both colours' pods, which an adopted one has not: declare it, and take " +
        'kubernetes.adopt out, once the first release has been accepted',
    });
  if (asObject(asObject(top['colours'])['blue'])['release'] === undefined)
    issues.push({
      path: 'kubernetes.adopt',
      message:
        'is about blue, and colours.blue is not declared: the colours are told apart by cluster_name, which an adopted server has not',
    });
  if (cluster['from'] !== undefined)
    issues.push({
      path: 'kubernetes.from',
      message: 'makes the first colour, and kubernetes.adopt takes one that exists: declare one of them',
    });
  return issues;
}
