import type { Environment } from '../model/environment.ts';
import { deliveryManifests } from './delivery.ts';
import { drillManifests } from './drill.ts';
import type { Manifest } from './manifest.ts';
import { metricsManifests } from './metrics.ts';
import { overlaid } from './overlay.ts';
import { networkPolicies } from './network.ts';
import { poolerBudget } from './pooler.ts';
import { resourceQuotas } from './quota.ts';

/**
 * What has no moment of its own in a release: plain resources of a Pulumi program, applied by the platform where there
 * is none.
 */
export function fixedManifests(environment: Environment): Manifest[] {
  return [
    ...resourceQuotas(environment),
    ...networkPolicies(environment),
    poolerBudget(environment),
    ...deliveryManifests(environment),
    ...drillManifests(environment),
    ...metricsManifests(environment),
  ].map((manifest) => overlaid(environment, manifest));
}
