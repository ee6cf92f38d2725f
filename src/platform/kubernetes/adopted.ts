import { adoptedRecord, adoptedService, type Adopted } from '../../manifests/adopted.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Cluster, Stored } from './cluster.ts';

/**
 * What is known of a colour that was adopted. A colour with a StatefulSet of our own is none, whatever this still says.
 */
export class AdoptedServer {
  readonly #environment: Named;
  readonly #cluster: Cluster;
  /** Read once: an adoption is the first thing that happens to an environment. */
  #known: Promise<Adopted | undefined> | undefined;

  constructor(environment: Named, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  async of(colour: Colour): Promise<Adopted | undefined> {
    this.#known ??= this.#read();
    const known = await this.#known.catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return known?.colour === colour ? known : undefined;
  }

  async #read(): Promise<Adopted | undefined> {
    const found = await this.#cluster.read<Stored & { data?: Record<string, string> }>(
      'ConfigMap',
      objectNames.adopted(this.#environment.name),
    );
    const text = found?.data?.['adopted.json'];
    return text === undefined ? undefined : (JSON.parse(text) as Adopted);
  }

  async record(adopted: Adopted): Promise<void> {
    await this.#cluster.apply(adoptedService(this.#environment, adopted));
    await this.#cluster.apply(adoptedRecord(this.#environment, adopted));
    this.#known = Promise.resolve(adopted);
  }

  /** Lets the server go as it is; its objects stay whose they were. */
  async forget(): Promise<void> {
    await this.#cluster.delete('ConfigMap', objectNames.adopted(this.#environment.name));
    this.#known = Promise.resolve(undefined);
  }
}
