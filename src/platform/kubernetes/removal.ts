import type { Adopted } from '../../manifests/adopted.ts';
import { domain } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster } from './cluster.ts';
import { untilGone } from './pod-waits.ts';
import { podLimit, type ColourSets } from './sets.ts';
import { removeUpgrades } from './upgrade.ts';

/** How a colour's server goes, with its volumes; one that was adopted goes back to its owner. */
export class Removal {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #sets: ColourSets;
  readonly #adoption: AdoptedServer;

  constructor(environment: Environment, cluster: Cluster, sets: ColourSets, adoption: AdoptedServer) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#sets = sets;
    this.#adoption = adoption;
  }

  /** An adopted server is let go as it is, fenced, unless its removal was declared: its owner may still want it. */
  async remove(colour: Colour): Promise<void> {
    const name = this.#sets.name(colour);
    const adopted = await this.#adoption.of(colour);
    if (adopted && (await this.letGo(colour, adopted.atRetire))) return;
    await this.#cluster.delete('StatefulSet', name);
    await this.#cluster.delete('Pod', `${name}-0`, { grace: 1 });
    await untilGone(this.#cluster, 'Pod', `${name}-0`, podLimit);
    await removeUpgrades(this.#cluster, this.#environment, colour);
    // The ConfigMap is of a server that an earlier version made.
    for (const kind of ['PodDisruptionBudget', 'Service', 'Secret', 'ConfigMap'] as const)
      await this.#cluster.delete(kind, name);
    const claims = await this.#cluster.list('PersistentVolumeClaim', {
      'app.kubernetes.io/instance': this.#environment.name,
      'app.kubernetes.io/managed-by': 'verdigris',
      [`${domain}/colour`]: colour,
    });
    for (const { metadata } of claims) await this.#cluster.delete('PersistentVolumeClaim', metadata.name);
    for (const { metadata } of claims) await untilGone(this.#cluster, 'PersistentVolumeClaim', metadata.name, podLimit);
    await untilGone(this.#cluster, 'StatefulSet', name, podLimit);
  }

  /** Ends the adoption of a colour; false where it is a server of our own. */
  async letGo(colour: Colour, how: Adopted['atRetire'] = 'keep'): Promise<boolean> {
    const adopted = await this.#adoption.of(colour);
    if (!adopted || (await this.#sets.read(colour))) return false;
    const { statefulSet, claim } = adopted;
    if (how === 'remove') {
      await this.#cluster.delete('StatefulSet', statefulSet);
      await untilGone(this.#cluster, 'StatefulSet', statefulSet, podLimit);
      await untilGone(this.#cluster, 'Pod', `${statefulSet}-0`, podLimit);
      await this.#cluster.delete('PersistentVolumeClaim', claim);
      await untilGone(this.#cluster, 'PersistentVolumeClaim', claim, podLimit);
    }
    await this.#cluster.delete('Service', this.#sets.name(colour));
    await this.#adoption.forget();
    return true;
  }
}
