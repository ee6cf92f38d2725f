import type { ResourceValidationPolicy } from '@pulumi/policy';
import { containers, isService, isWorkload } from './pods.ts';

export const probesAndResources: ResourceValidationPolicy = {
  name: 'probes-and-resources',
  description: 'Containers request CPU and memory and limit memory; those of services are probed.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    if (!isWorkload(type)) return;
    for (const { name = '?', resources } of containers(props)) {
      const missing = [
        ...['cpu', 'memory']
          .filter((each) => resources?.requests?.[each] === undefined)
          .map((each) => `requests.${each}`),
        ...(resources?.limits?.['memory'] === undefined ? ['limits.memory'] : []),
      ];
      if (missing.length > 0)
        report(`container ${name} lacks ${missing.join(', ')}: it could take what the other colour needs. Set them.`);
    }
    if (!isService(type)) return;
    for (const { name = '?', readinessProbe } of containers(props, { init: false })) {
      if (readinessProbe === undefined)
        report(`container ${name} has no readinessProbe: clients would be sent to it before it can answer. Set one.`);
    }
    if (containers(props, { init: false }).every(({ livenessProbe }) => livenessProbe === undefined))
      report('no container has a livenessProbe: one that hangs would stay. Set one.');
  },
};
