import type { Kind } from '../../manifests/manifest.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { Cluster, Stored } from './cluster.ts';

export interface Pod extends Stored {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
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

/** Why a pod is not ready, in words. */
export function explainPod(pod: Pod | undefined): string {
  if (!pod) return 'there is no pod';
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return `pod ${pod.metadata.name} cannot be scheduled: ${scheduled.message ?? 'no reason given'}`;
  return stuck(pod) ?? `pod ${pod.metadata.name} is ${pod.status?.phase ?? 'new'}, not ready`;
}

export interface ReadyOptions {
  readonly limit: number;
  readonly next: string;
  /** Which pod is meant: of a template just changed, only the new one. */
  readonly accept?: (pod: Pod) => boolean;
}

/** Waits until a pod of this name is ready; gives up early where waiting cannot help, longer than a registry's hiccup lasts. */
export async function untilReady(
  cluster: Cluster,
  name: string,
  { limit, next, accept = () => true }: ReadyOptions,
): Promise<Pod> {
  let pod: Pod | undefined;
  let since: number | undefined;
  return waitFor(
    async () => {
      pod = await cluster.read<Pod>('Pod', name);
      if (pod && accept(pod) && isReady(pod)) return pod;
      const why = pod && accept(pod) && stuck(pod);
      since = why ? (since ?? Date.now()) : undefined;
      if (why && since !== undefined && Date.now() - since > 10_000) {
        throw new VerdigrisError('pod-stuck', {
          seen: `${why}.`,
          required: `a pod ${name} that runs.`,
          next,
          facts: { pod: name },
        });
      }
      return undefined;
    },
    { limit, every: 100, slowest: 500, what: `a ready pod ${cluster.namespace}/${name}`, next },
    () => explainPod(pod),
  );
}

/** Waits until no object of this name is left; of a pod: its volume is in nobody's hands then. */
export async function untilGone(cluster: Cluster, kind: Kind, name: string, limit: number): Promise<void> {
  await waitFor(async () => ((await cluster.read(kind, name)) ? undefined : true), {
    limit,
    every: 50,
    slowest: 500,
    what: `the end of ${kind} ${cluster.namespace}/${name}`,
    next: 'see what keeps it: `kubectl describe` it, its finalizers name who; the same command goes on from here.',
  });
}
