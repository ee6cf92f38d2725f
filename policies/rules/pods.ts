/** A container as it stands in a pod's template, as far as the rules look at it. */
export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

const workloads = /^kubernetes:(apps\/v1:(StatefulSet|Deployment|DaemonSet)|batch\/v1:(Job|CronJob)|core\/v1:Pod)$/;
/** What runs on and on, and so must say whether it lives. */
const services = /^kubernetes:apps\/v1:(StatefulSet|Deployment|DaemonSet)$/;

export function isWorkload(type: string): boolean {
  return workloads.test(type);
}

export function isService(type: string): boolean {
  return services.test(type);
}

/** All containers of a workload, whichever kind it is. */
export function containers(
  props: Record<string, unknown>,
  options: { readonly init: boolean } = { init: true },
): readonly Container[] {
  const spec = podSpec(props['spec'] as Record<string, unknown> | undefined);
  return [...(options.init ? (spec?.initContainers ?? []) : []), ...(spec?.containers ?? [])];
}

function podSpec(spec: Record<string, unknown> | undefined): PodSpec | undefined {
  if (spec === undefined) return undefined;
  if (spec['jobTemplate'] !== undefined)
    return podSpec((spec['jobTemplate'] as { spec?: Record<string, unknown> }).spec);
  if (spec['template'] !== undefined) return (spec['template'] as { spec?: PodSpec }).spec;
  return spec as PodSpec;
}

export function labelsOf(props: Record<string, unknown>): Record<string, string> {
  return (props['metadata'] as { labels?: Record<string, string> } | undefined)?.labels ?? {};
}

export function nameOf(props: Record<string, unknown>): string {
  return (props['metadata'] as { name?: string } | undefined)?.name ?? '';
}
