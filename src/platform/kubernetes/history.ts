import { commonLabels, domain, metadata, objectNames, type Named } from '../../manifests/names.ts';
import type { HistoryEntry, HistoryStore } from '../port/history.ts';
import type { Cluster, Stored } from './cluster.ts';

interface EntryMap extends Stored {
  readonly data: { readonly entry: string };
}

/** Finished releases, a ConfigMap each, named by when the release began: the same one again is not written again. */
export class KubernetesHistory implements HistoryStore {
  readonly #cluster: Cluster;
  readonly #environment: Named;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  async append(entry: HistoryEntry): Promise<void> {
    const name = objectNames.history(this.#environment.name, entry.startedAt);
    await this.#cluster.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(this.#environment, 'journal', name, { [`${domain}/history`]: 'true' }),
      data: { entry: JSON.stringify(entry) },
    });
  }

  async list(): Promise<HistoryEntry[]> {
    const found = await this.#cluster.list<EntryMap>('ConfigMap', {
      ...commonLabels(this.#environment, 'journal'),
      [`${domain}/history`]: 'true',
    });
    return found
      .map(({ data }) => JSON.parse(data.entry) as HistoryEntry)
      .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  }
}
