import { objectNames } from '../../manifests/names.ts';
import { Cluster, type Stored } from './cluster.ts';

interface JournalMap extends Stored {
  readonly metadata: Stored['metadata'] & { readonly namespace: string };
  readonly data?: { readonly journal?: string };
}

export interface FoundJournal {
  readonly name: string;
  readonly namespace: string;
  readonly text: string;
  /** For people. */
  readonly where: string;
}

/**
 * Of every environment of the cluster that the kubeconfig leads to. Throws where the caller may not list ConfigMaps of
 * all namespaces.
 */
export async function journalsOf(): Promise<FoundJournal[]> {
  const cluster = Cluster.open('default');
  const ending = objectNames.journal('');
  try {
    const maps = await cluster.listEverywhere<JournalMap>('ConfigMap', { 'app.kubernetes.io/managed-by': 'verdigris' });
    return maps.flatMap(({ metadata: { name, namespace }, data }) =>
      data?.journal === undefined || !name.endsWith(ending)
        ? []
        : [
            {
              name: name.slice(0, -ending.length),
              namespace,
              text: data.journal,
              where: `ConfigMap ${namespace}/${name}`,
            },
          ],
    );
  } finally {
    cluster.close();
  }
}
