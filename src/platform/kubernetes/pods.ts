import type { Stored } from './cluster.ts';

export interface Pod extends Stored {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly exitCode: number; readonly message?: string };
  };
  readonly lastState?: {
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

/** Whether pods of ours of this kind were made with a certificate. What is declared by now, later ones have. */
export function hasCertificate({ volumes = [] }: { readonly volumes?: readonly { readonly name: string }[] }): boolean {
  return volumes.some(({ name }) => name === 'tls');
}

export function isReady({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}

/** Istio's proxy, as a container or as an init container that stays (native sidecar). */
export function hasSidecar({ spec: { containers, initContainers = [] } }: Pod): boolean {
  return [...containers, ...initContainers].some(({ name }) => name === 'istio-proxy');
}

/** What no waiting will fix; undefined for a pod that is merely not there yet. */
export function stuck({ metadata, status }: Pod): string | undefined {
  for (const { name, state, lastState, restartCount } of status?.containerStatuses ?? []) {
    const reason = state?.waiting?.reason ?? '';
    if (
      /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError|RunContainerError)$/.test(
        reason,
      )
    )
      return `container ${name} of pod ${metadata.name}: ${reason}: ${state?.waiting?.message ?? ''}`;
    if (reason === 'CrashLoopBackOff' && restartCount >= 2)
      return (
        `container ${name} of pod ${metadata.name} ended ${restartCount} times (exit code ` +
        `${lastState?.terminated?.exitCode ?? 'unknown'}): ` +
        `${lastState?.terminated?.message?.trim().split('\n').slice(-6).join(' | ') ?? 'see its log'}`
      );
  }
  return undefined;
}

/** Whether no node takes it, for a reason of its own: a volume that is still being restored is waited for elsewhere. */
export function isUnschedulable({ status }: Pod): boolean {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' && !/unbound immediate|not found|SchedulingGated/.test(scheduled.message ?? '');
}

/** Why a pod is not ready, in words. */
export function explainPod(pod: Pod | undefined): string {
  if (!pod) return 'there is no pod';
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return `pod ${pod.metadata.name} cannot be scheduled: ${scheduled.message ?? 'no reason given'}`;
  return stuck(pod) ?? `pod ${pod.metadata.name} is ${pod.status?.phase ?? 'new'}, not ready`;
}
