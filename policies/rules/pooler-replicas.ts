import type { ResourceValidationPolicy } from '@pulumi/policy';
import { environmentIn, trafficType } from './release.ts';

/** With one replica, every rollout of the pooler and every node that drains is an outage. */
export const poolerReplicas: ResourceValidationPolicy = {
  name: 'pooler-replicas',
  description: 'The pooler in front of an environment has more than one replica.',
  enforcementLevel: 'mandatory',
  configSchema: { properties: { minimum: { type: 'integer', minimum: 1, default: 2 } } },
  validateResource: ({ type, props, getConfig }, report) => {
    const environment = type === trafficType ? environmentIn(props) : undefined;
    if (!environment) return;
    const { minimum = 2 } = getConfig<{ minimum?: number }>();
    const { replicas } = environment.kubernetes.pooler;
    if (replicas < minimum)
      report(
        `kubernetes.pooler.replicas is ${replicas}: no client gets through while it is replaced. Declare at least ${minimum}.`,
      );
  },
};
