import type { StackValidationPolicy } from '@pulumi/policy';
import { selectorLabels } from '../../src/manifests/names.ts';
import { isService } from './pods.ts';
import { environmentIn, trafficType } from './release.ts';

interface Policy {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: {
    readonly podSelector?: { readonly matchLabels?: Record<string, string> };
    readonly policyTypes?: readonly string[];
  };
}

interface Workload {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Record<string, string> } } };
}

/** Without one a pod takes connections from everywhere: then the pooler is not the only way in. */
export const networkPolicyPresent: StackValidationPolicy = {
  name: 'network-policy-present',
  description: 'Every pod of an environment is chosen by a NetworkPolicy that restricts what comes in.',
  enforcementLevel: 'mandatory',
  validateStack: ({ resources }, report) => {
    const policies = resources
      .filter(({ type }) => type === 'kubernetes:networking.k8s.io/v1:NetworkPolicy')
      .map(({ props }) => props as Policy);
    const restricts = (namespace: string | undefined, labels: Record<string, string>): boolean =>
      policies.some(
        (policy) =>
          policy.metadata?.namespace === namespace &&
          policy.spec?.policyTypes?.includes('Ingress') === true &&
          Object.entries(policy.spec.podSelector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value),
      );
    for (const { type, props, urn } of resources) {
      const environment = type === trafficType ? environmentIn(props) : undefined;
      for (const component of environment ? (['database', 'pooler'] as const) : []) {
        if (environment && !restricts(environment.kubernetes.namespace, selectorLabels(environment, component)))
          report(
            `no NetworkPolicy chooses the ${component} of ${environment.name}. Declare it by the component Environment, or one with the paths that it needs.`,
            urn,
          );
      }
      const { metadata, spec } = props as Workload;
      const labels = spec?.template?.metadata?.labels ?? {};
      if (!isService(type) || labels['app.kubernetes.io/managed-by'] !== 'verdigris') continue;
      if (!restricts(metadata?.namespace, labels))
        report(
          `no NetworkPolicy chooses the pods of ${metadata?.name ?? urn}. Declare one with the paths that they need.`,
          urn,
        );
    }
  },
};
