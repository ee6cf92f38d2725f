import { domain, objectNames } from '../../manifests/names.ts';
import type { AnnotatedApproval } from '../port/platform.ts';
import type { Cluster } from './cluster.ts';

const [approveKey, byKey, reasonKey] = ['approve', 'approved-by', 'approve-reason'].map((key) => `${domain}/${key}`);

/**
 * On the ConfigMap of the declaration: who may write that may approve. What is run he cannot change, since that is
 * sealed; the name is his word.
 */
export async function annotatedApproval(cluster: Cluster, name: string): Promise<AnnotatedApproval | undefined> {
  const annotations = (await cluster.read('ConfigMap', objectNames.declaration(name)))?.metadata.annotations ?? {};
  const of = (key = ''): string | undefined => annotations[key]?.trim();
  const value = of(approveKey);
  if (value === undefined || value === '') return undefined;
  return { value, by: `${of(byKey) ?? 'somebody'}, by annotation`, reason: of(reasonKey) };
}
