import type { Kind } from '../../manifests/manifest.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import { causeOf, refusedPod } from './causes.ts';
import type { Cluster } from './cluster.ts';
import { explainPod, isReady, isUnschedulable, stuck, type Pod } from './pods.ts';

export interface ReadyOptions {
  readonly limit: number;
  readonly next: string;
  /** Milliseconds until one that no node has room for is given up; `limit` where it is left out. */
  readonly unscheduled?: number;
  /** Which pod is meant: of a template just changed, only the new one. */
  readonly accept?: (pod: Pod) => boolean;
}

/**
 * Milliseconds that what no waiting changes may last: longer than a registry's hiccup, or than a predecessor that still
 * counts in a quota.
 */
const patience = 10_000;
/** Milliseconds between two questions why a pod is not ready. */
const causeEvery = 2_000;
/** Milliseconds until somebody who waits is told why, and between two such words. */
const tellEvery = 20_000;

/**
 * Waits until a pod of this name is ready; gives up early where waiting cannot help, longer than a registry's hiccup
 * lasts.
 */
export async function untilReady(
  cluster: Cluster,
  name: string,
  { limit, next, unscheduled = limit, accept = () => true }: ReadyOptions,
): Promise<Pod> {
  const began = performance.now();
  let pod: Pod | undefined;
  let since: number | undefined;
  let asked = began;
  let told = began;
  let homeless: number | undefined;
  let cause = explainPod(undefined);
  return waitFor(
    async () => {
      pod = await cluster.read<Pod>('Pod', name);
      if (pod && accept(pod) && isReady(pod)) return pod;
      if (performance.now() - asked > causeEvery) {
        cause = await causeOf(cluster, name, pod, began);
        asked = performance.now();
        const refused = pod || asked - began < patience ? undefined : refusedPod(cluster.namespace, name, cause);
        if (refused) throw refused;
        if (performance.now() - told > tellEvery) {
          cluster.tell(`${cluster.namespace}/${name} is waited for: ${cause}`);
          told = performance.now();
        }
      }
      homeless = pod && isUnschedulable(pod) ? (homeless ?? performance.now()) : undefined;
      if (homeless !== undefined && performance.now() - homeless > unscheduled)
        throw podStuck(
          `No node has taken the pod ${cluster.namespace}/${name} for ${unscheduled / 1_000} s: ${cause}`,
          'a node with room for it, or one that its tolerations and affinity allow.',
          'make room, or declare less (kubernetes.resources) or other nodes (kubernetes.pods); the same ' +
            'command continues from here. limits.pod says how long to wait.',
          { pod: name, cause },
        );
      const why = pod && accept(pod) && stuck(pod);
      since = why ? (since ?? performance.now()) : undefined;
      if (why && since !== undefined && performance.now() - since > patience) {
        throw podStuck(why, `a pod ${name} that runs.`, next, { pod: name });
      }
      return undefined;
    },
    { limit, every: 100, slowest: 500, what: `a ready pod ${cluster.namespace}/${name}`, next },
    () => cause,
  );
}

/** Waits until no object of this name is left; of a pod: its volume is in nobody's hands then. */
export async function untilGone(cluster: Cluster, kind: Kind, name: string, limit: number): Promise<void> {
  await waitFor(async () => ((await cluster.read(kind, name)) ? undefined : true), {
    limit,
    every: 50,
    slowest: 500,
    what: `the end of ${kind} ${cluster.namespace}/${name}`,
    next: 'see what keeps it: `kubectl describe` it, its finalizers name who; the same command continues from here.',
  });
}

/** A pod that does not start, and will not without somebody's help. */
export function podStuck(
  why: string,
  required: string,
  next: string,
  facts: Readonly<Record<string, unknown>> = {},
): VerdigrisError {
  return new VerdigrisError('pod-stuck', { seen: `${why}.`, required, next, facts: { cause: why, ...facts } });
}
