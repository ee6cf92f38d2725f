import { randomUUID } from 'node:crypto';
import { metadata, objectNames, type Named } from '../../manifests/names.ts';
import type { Cluster, Stored } from './cluster.ts';

interface CreationMap extends Stored {
  readonly data: { readonly uid: string };
}

/**
 * The record of a creation that has begun and has not come to its end: what tells its remains from those of an
 * environment that lost its journal.
 */
export class Creation {
  readonly #cluster: Cluster;
  readonly #environment: Named;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  get #name(): string {
    return objectNames.creation(this.#environment.name);
  }

  /** Uid of the environment that is being made; undefined where none is. */
  async underWay(): Promise<string | undefined> {
    return (await this.#cluster.read<CreationMap>('ConfigMap', this.#name))?.data.uid;
  }

  /** Before anything is made. */
  async begin(): Promise<string> {
    const made = await this.#cluster.create<CreationMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(this.#environment, 'journal', this.#name),
      data: { uid: randomUUID() },
    });
    return made?.data.uid ?? (await this.underWay()) ?? this.begin();
  }

  /** Once the journal is there. */
  end(): Promise<void> {
    return this.#cluster.delete('ConfigMap', this.#name);
  }
}
