import type { Kind } from '../../manifests/manifest.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Cluster, Stored } from './cluster.ts';
import { explainPod, type Pod } from './pods.ts';

interface EventObject extends Stored {
  readonly type?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** Milliseconds that the clocks of the cluster and of this machine may differ. */
const skew = 5_000;

/**
 * What Kubernetes last said about an object since a moment, in its own words. Undefined where it said nothing, or
 * whoever asks may not read events.
 */
async function lastWord(cluster: Cluster, kind: Kind, name: string, since: number): Promise<string | undefined> {
  const found = await cluster.events<EventObject>(kind, name).catch((error: unknown) => {
    if (error instanceof VerdigrisError && error.id === 'cluster-forbidden') return [];
    throw error;
  });
  const at = ({ lastTimestamp, eventTime, metadata }: EventObject): number =>
    Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
  const [newest] = found
    .filter((event) => at(event) >= since - skew && (event.type === 'Warning' || kind === 'PersistentVolumeClaim'))
    .toSorted((one, next) => at(next) - at(one));
  return newest?.message;
}

/**
 * Why a pod of a StatefulSet is not there or not ready, as whoever has to make it says: its controller, its claims, its
 * node.
 */
export async function causeOf(cluster: Cluster, name: string, pod: Pod | undefined, since: number): Promise<string> {
  if (!pod) {
    const said = await lastWord(cluster, 'StatefulSet', name.replace(/-0$/, ''), since);
    return said === undefined ? explainPod(pod) : `${explainPod(pod)}: ${said}`;
  }
  const claims = (pod.spec.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const pending = await Promise.all(
    claims.map(async (claim) => {
      const found = await cluster.read<Stored & { status?: { phase?: string } }>('PersistentVolumeClaim', claim);
      if (found?.status?.phase === 'Bound') return [];
      const said = await lastWord(cluster, 'PersistentVolumeClaim', claim, since);
      return [
        `PersistentVolumeClaim ${claim} is ${found?.status?.phase ?? 'not there'}${said === undefined ? '' : `: ${said}`}`,
      ];
    }),
  );
  const said = pod.status?.phase === 'Pending' ? await lastWord(cluster, 'Pod', name, since) : undefined;
  return [explainPod(pod), ...pending.flat(), ...(said === undefined ? [] : [said])].join('; ');
}

/** What no waiting changes, of what a controller was refused: a quota, a limit range, a rule of Pod Security. */
export function refusedPod(namespace: string, name: string, cause: string): VerdigrisError | undefined {
  if (!/\bforbidden\b/.test(cause)) return undefined;
  const quota = cause.includes('exceeded quota');
  return new VerdigrisError(quota ? 'quota-exceeded' : 'pod-stuck', {
    seen: `The pod ${namespace}/${name} cannot be made: ${cause}.`,
    required: quota ? "room in the namespace's ResourceQuota." : 'a pod that the namespace takes.',
    next: quota
      ? 'have it raised (a release needs a second server and volume for as long as it lasts), or declare less; then run the same command again.'
      : "fix what it says (kubernetes.resources, the namespace's LimitRange or its Pod Security); then run the same command again.",
    facts: { pod: name, cause },
  });
}
