import type { StackValidationPolicy } from '@pulumi/policy';
import { isService } from './pods.ts';

interface Policy {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: { readonly podSelector?: { readonly matchLabels?: Record<string, string> }; readonly policyTypes?: readonly string[] };
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
    const policies = resources.filter(({ type }) => type === 'kubernetes:networking.k8s.io/v1:NetworkPolicy').map(({ props }) => props as Policy);
    for (const { type, props, urn } of resources) {
      const { metadata, spec } = props as Workload;
      const labels = spec?.template?.metadata?.labels ?? {};
      if (!isService(type) || labels['app.kubernetes.io/managed-by'] !== 'verdigris') continue;
      const chosen = policies.some((policy) =>
        policy.metadata?.namespace === metadata?.namespace && policy.spec?.policyTypes?.includes('Ingress') === true &&
        Object.entries(policy.spec.podSelector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value));
      if (!chosen) report(`no NetworkPolicy chooses the pods of ${metadata?.name ?? urn}. Declare one with the paths that they need.`, urn);
    }
  },
};
