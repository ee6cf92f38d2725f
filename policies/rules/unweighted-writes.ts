import type { ResourceValidationPolicy } from '@pulumi/policy';
import { nameOf } from './pods.ts';

interface Routes {
  readonly tcp?: readonly { readonly route?: readonly { readonly weight?: number }[] }[];
  readonly tls?: readonly { readonly route?: readonly { readonly weight?: number }[] }[];
  readonly hosts?: readonly string[];
}

/** Two colours that take writes at once have two truths; there is no share of writes that is safe. */
export const unweightedWrites: ResourceValidationPolicy = {
  name: 'unweighted-writes',
  description: 'A route for writes goes to one colour: no weight between 1 and 99.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    if (!/^kubernetes:networking\.istio\.io\/\w+:VirtualService$/.test(type)) return;
    const { tcp = [], tls = [], hosts = [] } = (props['spec'] ?? {}) as Routes;
    if (![nameOf(props), ...hosts].some((host) => /-rw(\.|$)/.test(host))) return;
    for (const { route = [] } of [...tcp, ...tls]) {
      const taking = route.filter(({ weight = 100 }) => weight > 0);
      if (taking.length > 1 || taking.some(({ weight = 100 }) => weight < 100))
        report(
          `writes are split by weight (${route.map(({ weight }) => weight ?? 100).join(' and ')}): only 0 and 100 ` +
            'are possible. Give weights to reads, by the route of the -ro Service.',
        );
    }
  },
};
