import type { Cluster, Stored } from './cluster.ts';

type ConfigMap = Stored & { readonly data?: Readonly<Record<string, string>> };

/** By compare-and-swap: what somebody else wrote meanwhile is not written over. */
export async function changeConfig(
  cluster: Cluster,
  name: string,
  key: string,
  change: (text: string) => string,
): Promise<void> {
  const found = await cluster.read<ConfigMap>('ConfigMap', name);
  const text = found?.data?.[key];
  if (!found || text === undefined)
    throw new Error(`there is no ConfigMap ${cluster.namespace}/${name} with the key ${key}`);
  const next = change(text);
  if (next === text) return;
  const { resourceVersion } = found.metadata;
  await cluster.merge('ConfigMap', name, { metadata: { resourceVersion }, data: { [key]: next } });
}
