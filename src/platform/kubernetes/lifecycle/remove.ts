import { adoptedSelector } from '../../../manifests/adopted.ts';
import type { Kind } from '../../../manifests/manifest.ts';
import { commonLabels, objectNames } from '../../../manifests/names.ts';
import { colours } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import type { KubernetesParts } from '../parts.ts';

/**
 * What only a declared environment has, and what every one has besides volumes and servers, a clone too; in the order
 * in which they go.
 */
const declaredKinds = [
  'ResourceQuota',
  'CronJob',
  'ServiceMonitor',
  'PrometheusRule',
  'RoleBinding',
  'Role',
  'ServiceAccount',
] as const;
export const plainKinds = [
  'Deployment',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
  'Secret',
  'Lease',
  'ConfigMap',
] as const;

/**
 * Removes everything that an environment has in its namespace but the last snapshots of those that bore its name;
 * the journal last. A clone is removed by roles that have no right to look for the rest.
 */
export async function removeKubernetes(
  environment: Environment,
  platform: KubernetesParts,
  kinds: readonly Kind[] = [...declaredKinds, ...plainKinds],
): Promise<void> {
  const { cluster, servers } = platform;
  await cluster.delete('Deployment', objectNames.pooler(environment.name));
  await platform.routes.remove();
  for (const snapshot of await servers.snapshots())
    if (!snapshot.startsWith('last-')) await servers.removeSnapshot(snapshot);
  for (const colour of colours) {
    // What was adopted stays as it is, whatever `retire` would do: no release has taken its place.
    const adopted = await platform.adoption.of(colour);
    if (adopted?.service?.to === 'pooler')
      await platform.routes.lead(adopted.service.name, adoptedSelector(adopted), 5432);
    if (!(await servers.letGo(colour))) await servers.remove(colour, (await servers.observe(colour))?.generation);
  }
  const labels = {
    'app.kubernetes.io/instance': environment.name,
    'app.kubernetes.io/managed-by': commonLabels(environment, 'database')['app.kubernetes.io/managed-by'] ?? '',
  };
  const journal = objectNames.journal(environment.name);
  for (const kind of kinds) {
    for (const { metadata } of await cluster.list(kind, labels))
      if (kind !== 'ConfigMap' || metadata.name !== journal) await cluster.delete(kind, metadata.name);
  }
  await cluster.delete('ConfigMap', journal);
}
