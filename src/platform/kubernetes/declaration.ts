import { declarationConfig } from '../../components/manifests/declaration.ts';
import { objectNames } from '../../components/manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import type { Cluster, Stored } from './cluster.ts';

interface DeclarationMap extends Stored {
  readonly data?: { readonly 'declaration.json'?: string };
}

/** Writes down what an environment was last declared as, for whoever takes it into a stack later. */
export async function recordDeclaration(cluster: Cluster, environment: Environment, raw: unknown): Promise<void> {
  await cluster.apply(declarationConfig(environment, raw));
}

/** Undefined where none was written. */
export async function recalledDeclaration(cluster: Cluster, name: string): Promise<Record<string, unknown> | undefined> {
  const text = (await cluster.read<DeclarationMap>('ConfigMap', objectNames.declaration(name)))?.data?.['declaration.json'];
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
}
