import type { Adopted } from '../../manifests/adopted.ts';
import { domain } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster } from './cluster.ts';
import { untilGone } from './pod-waits.ts';
import { podLimit, type ColourSets } from './sets.ts';
import { removeUpgrades } from './upgrade.ts';

/** Milliseconds that the end of a claim is waited for, once its pod is gone. */
const claimLimit = 30_000;

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

  /**
   * An adopted server is let go as it is, fenced, unless its removal was declared: its owner may still want it. Says
   * which claims are kept by somebody.
   */
  async remove(colour: Colour): Promise<string | undefined> {
    const name = this.#sets.name(colour);
    const adopted = await this.#adoption.of(colour);
    if (adopted && (await this.letGo(colour, adopted.atRetire))) return undefined;
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
    await untilGone(this.#cluster, 'StatefulSet', name, podLimit);
    const kept = (await Promise.all(claims.map(({ metadata }) => this.#kept(metadata.name)))).filter(Boolean);
    return kept.length === 0 ? undefined : `${kept.join('; ')}: see who keeps it by its finalizers`;
  }

  /**
   * A claim that is asked to go, and that no pod uses, is nobody's concern where somebody's finalizer keeps it: its name
   * is not used again.
   */
  async #kept(claim: string): Promise<string | undefined> {
    return untilGone(this.#cluster, 'PersistentVolumeClaim', claim, claimLimit).then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof VerdigrisError) || error.id !== 'timed-out') throw error;
        return `PersistentVolumeClaim ${this.#cluster.namespace}/${claim} stays, though its deletion was asked for`;
      },
    );
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
