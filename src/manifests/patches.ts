import jsonPatch, { type Operation } from 'fast-json-patch';
import { describe, VerdigrisError } from '../model/errors.ts';
import type { Patch } from '../model/overlay.ts';
import type { Manifest } from './manifest.ts';
import { changedOf } from './untouchable.ts';

/**
 * The declared patches that are meant for this object, in their order. Throws `patch-refused` where one touches what a
 * release rests on.
 */
export function patched(patches: readonly Patch[], manifest: Manifest): Manifest {
  return patches.filter((patch) => isMeant(patch, manifest)).reduce((object, patch) => one(patch, object), manifest);
}

export function isMeant({ kind, name }: Patch, manifest: Manifest): boolean {
  if (kind !== manifest.kind) return false;
  if (name === undefined) return true;
  const parts = name.split('*').map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(manifest.metadata.name);
}

function one(patch: Patch, manifest: Manifest): Manifest {
  const where = `${manifest.kind} ${manifest.metadata.name}`;
  const next = applied(patch, manifest, where);
  const touched = changedOf(manifest, next);
  if (touched.length === 0) return next;
  throw new VerdigrisError('patch-refused', {
    seen: `A patch of kubernetes.patches for ${where} changes ${touched.join(', ')}.`,
    required:
      'patches that add, or change only what a release does not depend on: resources, securityContext, imagePullPolicy, probe numbers, scheduling.',
    next: 'take that out of the patch; docs/kubernetes.md, “Overlays”, says what a patch may change.',
    facts: { object: where, touched },
  });
}

function applied(patch: Patch, manifest: Manifest, where: string): Manifest {
  if (patch.merge) return merged(manifest, patch.merge) as Manifest;
  try {
    const copy = structuredClone(manifest) as Manifest;
    return jsonPatch.applyPatch(copy, (patch.json ?? []) as unknown as Operation[], true).newDocument;
  } catch (error) {
    throw new VerdigrisError('patch-refused', {
      seen: `A JSON patch of kubernetes.patches does not fit ${where}: ${describe(error).split('\n')[0]}.`,
      required: 'a patch (RFC 6902) whose paths exist.',
      next: 'compare it with the object, as `pulumi preview --diff` or `kubectl get -o yaml` shows it.',
    });
  }
}

/**
 * By what the elements of a list are distinguished (Kubernetes API, `patchMergeKey`); any other list is replaced whole.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
};

/** A strategic merge: objects by key, null takes away, lists by their key where they have one. */
function merged(base: unknown, patch: unknown, key?: string): unknown {
  if (Array.isArray(patch)) return mergedList(base, patch, key === undefined ? undefined : mergeKeys[key]);
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [each, value] of Object.entries(patch)) {
    if (value === null) delete result[each];
    else result[each] = merged(result[each], value, each);
  }
  return result;
}

function mergedList(base: unknown, patch: readonly unknown[], by: string | undefined): unknown[] {
  if (by === undefined || !Array.isArray(base)) return [...patch];
  const result = [...(base as unknown[])];
  for (const item of patch) {
    const at = result.findIndex((each) => isObject(each) && isObject(item) && each[by] === item[by]);
    if (at < 0) result.push(item);
    else if (isObject(item) && item['$patch'] === 'delete') result.splice(at, 1);
    else result[at] = merged(result[at], item);
  }
  return result;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
