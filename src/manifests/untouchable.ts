import { isDeepStrictEqual } from 'node:util';
import type { Kind, Manifest } from './manifest.ts';

/** Kinds whose every field but labels and annotations is what a release rests on: nothing is added to them either. */
const sealed: ReadonlySet<Kind> = new Set([
  ...(['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'VolumeSnapshot'] as const),
  ...(['VirtualService', 'DestinationRule', 'Role', 'RoleBinding', 'Lease'] as const),
]);

/** What may be changed of what Verdigris writes, wherever it is in an object; all else may be added to and stays. */
const free: readonly RegExp[] = [
  /\.containers\[[^\]]*\]\.(resources|securityContext|imagePullPolicy|terminationMessagePolicy)\b/,
  /\.(startup|liveness|readiness)Probe\.(periodSeconds|timeoutSeconds|failureThreshold|initialDelaySeconds|successThreshold)$/,
  /\.template\.spec\.(securityContext|terminationGracePeriodSeconds|volumes\[[^\]]*\]\.emptyDir)\b/,
  /^spec\.(revisionHistoryLimit|successfulJobsHistoryLimit|failedJobsHistoryLimit|backoffLimit|endpoints)\b/,
  /^metadata\.annotations\.argocd/,
];

/** Paths of what a release rests on and `after` no longer has as `before` had it. */
export function changedOf(before: Manifest, after: Manifest): string[] {
  const changed = differing(before, after, '');
  const added = sealed.has(before.kind)
    ? Object.keys(after).filter((key) => key !== 'metadata' && !isDeepStrictEqual(before[key], after[key]))
    : addedPods(before, after);
  return [...new Set([...changed, ...added])].filter((path) => !free.some((each) => each.test(path)));
}

/** A Service's selector, a Deployment's or StatefulSet's: one more label in it is another set of pods. */
function addedPods(before: Manifest, after: Manifest): string[] {
  const selector = (manifest: Manifest): unknown =>
    (manifest['spec'] as Record<string, unknown> | undefined)?.['selector'];
  return isDeepStrictEqual(selector(before), selector(after)) ? [] : ['spec.selector'];
}

function differing(before: unknown, after: unknown, path: string): string[] {
  if (Array.isArray(before)) return Array.isArray(after) ? missingOf(before, after, path) : [path];
  if (typeof before !== 'object' || before === null) return isDeepStrictEqual(before, after) ? [] : [path];
  if (typeof after !== 'object' || after === null) return [path];
  return Object.entries(before).flatMap(([key, value]) =>
    differing(value, (after as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`),
  );
}

/** Every element is still there: one with a name under its name, any other as it was. */
function missingOf(before: readonly unknown[], after: readonly unknown[], path: string): string[] {
  return before.flatMap((element, index) => {
    const by = keyOf(element);
    const at = `${path}[${by === undefined ? index : String((element as Record<string, unknown>)[by])}]`;
    if (by === undefined) return after.some((each) => isDeepStrictEqual(each, element)) ? [] : [at];
    const found = after.find(
      (each) => (each as Record<string, unknown> | null)?.[by] === (element as Record<string, unknown>)[by],
    );
    return differing(element, found, at);
  });
}

function keyOf(element: unknown): string | undefined {
  if (typeof element !== 'object' || element === null) return undefined;
  return ['mountPath', 'name', 'containerPort'].find(
    (key) =>
      typeof (element as Record<string, unknown>)[key] === 'string' ||
      typeof (element as Record<string, unknown>)[key] === 'number',
  );
}
