import type { ResourceValidationPolicy, StackValidationPolicy } from '@pulumi/policy';
import type { Manifest } from '../../src/manifests/manifest.ts';

/** The type token under which the Kubernetes provider has a kind. */
export function typeOf({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>): string {
  return `kubernetes:${apiVersion === 'v1' ? 'core/v1' : apiVersion}:${kind}`;
}

/** What a rule says of one object, as the engine would ask it. */
export function judge(
  rule: ResourceValidationPolicy,
  manifest: Manifest,
  options: { readonly protect?: boolean; readonly config?: object } = {},
): string[] {
  const said: string[] = [];
  const ask = rule.validateResource as (args: unknown, report: (message: string) => void) => void;
  ask(
    {
      type: typeOf(manifest),
      props: manifest,
      urn: `urn:${manifest.metadata.name}`,
      name: manifest.metadata.name,
      opts: { protect: options.protect ?? false },
      getConfig: () => options.config ?? {},
    },
    (message) => said.push(message),
  );
  return said;
}

/** What a rule says of a whole stack. */
export function judgeStack(rule: StackValidationPolicy, manifests: readonly Manifest[]): string[] {
  const said: string[] = [];
  const ask = rule.validateStack as (args: unknown, report: (message: string) => void) => void;
  ask(
    {
      resources: manifests.map((manifest) => ({
        type: typeOf(manifest),
        props: manifest,
        urn: `urn:${manifest.metadata.name}`,
        name: manifest.metadata.name,
      })),
    },
    (message) => said.push(message),
  );
  return said;
}

/** A copy of an object with one field, named by its path, set or taken away. */
export function but(manifest: Manifest, path: string, value?: unknown): Manifest {
  const copy = structuredClone(manifest) as unknown as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = copy;
  for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy as unknown as Manifest;
}
