import type { Manifest } from './manifest.ts';
import { metadata, type Named } from './names.ts';

/** What the environment's namespace may use in all; none where nothing is declared. */
export function resourceQuotas(environment: Named): Manifest[] {
  const { quota } = environment.kubernetes;
  if (Object.keys(quota).length === 0) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: metadata(environment, 'database', environment.name),
      spec: { hard: quota },
    },
  ];
}
