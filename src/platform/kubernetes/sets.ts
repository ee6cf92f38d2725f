import {
  colourBudget,
  colourConfig,
  colourServer,
  colourService,
  dataPath,
  type ColourLife,
} from '../../manifests/colour.ts';
import type { Adopted } from '../../manifests/adopted.ts';
import { domain, objectNames } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { AdoptedServer } from './adopted.ts';
import { keepCertificates } from './certificates.ts';
import type { Cluster, Stored } from './cluster.ts';
import { untilGone, untilReady } from './pod-waits.ts';
import { hasCertificate } from './pods.ts';
import { noColour } from '../../model/failures.ts';

export interface ServerSet extends Stored {
  readonly spec: {
    readonly replicas: number;
    readonly template?: { readonly spec: { readonly volumes?: readonly { readonly name: string }[] } };
  };
  readonly status?: { readonly observedGeneration?: number; readonly updateRevision?: string };
}

/** Where a colour is: its StatefulSet, ours or an adopted one, its volume, and its data directory on it. */
export interface ColourPlace {
  readonly set: ServerSet;
  readonly life: ColourLife;
  readonly claim: string;
  readonly path: string;
  readonly adopted?: Adopted;
}

/** Milliseconds for a pod of a volume that is there to come or to go. */
export const podLimit = 300_000;
export const seeLog = 'see `kubectl describe pod` and its log; the same command continues from here.';

/** The StatefulSets of an environment's colours: where each is, and how one is brought to a life. */
export class ColourSets {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #adoption: AdoptedServer;

  constructor(environment: Environment, cluster: Cluster, adoption: AdoptedServer) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#adoption = adoption;
  }

  /** Of the StatefulSet that Verdigris makes for a colour, and of what belongs to it. */
  name(colour: Colour): string {
    return objectNames.colour(this.#environment.name, colour);
  }

  /** Our own StatefulSet of a colour, as it is; undefined where there is none, or an adopted one. */
  read(colour: Colour): Promise<ServerSet | undefined> {
    return this.#cluster.read<ServerSet>('StatefulSet', this.name(colour));
  }

  async place(colour: Colour): Promise<ColourPlace | undefined> {
    const set = await this.read(colour);
    if (set?.metadata.deletionTimestamp !== undefined) return undefined;
    if (set) {
      const life = this.life(colour, set);
      return { set, life, claim: objectNames.volume(this.#environment.name, colour, life.generation), path: dataPath };
    }
    const adopted = await this.#adoption.of(colour);
    const theirs = adopted && (await this.#cluster.read<ServerSet>('StatefulSet', adopted.statefulSet));
    if (!theirs) return undefined;
    const { major, release, claim, path } = adopted;
    return { set: theirs, life: { colour, generation: 1, major, release, parked: false }, claim, path, adopted };
  }

  /** Whether a colour's server speaks TLS with a certificate of ours; an adopted one has its owner's, or none. */
  async encrypted(colour: Colour): Promise<boolean> {
    const place = await this.place(colour);
    return place !== undefined && !place.adopted && hasCertificate(place.set.spec.template?.spec ?? {});
  }

  async pod(colour: Colour): Promise<string> {
    const own = `${this.name(colour)}-0`;
    const adopted = await this.#adoption.of(colour);
    return !adopted || (await this.read(colour)) ? own : `${adopted.statefulSet}-0`;
  }

  /** What our own StatefulSet was last brought to. */
  life(colour: Colour, { metadata: { labels = {}, annotations = {} } }: ServerSet): ColourLife {
    return {
      colour,
      generation: Number(labels[`${domain}/generation`]),
      major: Number(labels['app.kubernetes.io/version']),
      release: annotations[`${domain}/release`] ?? '',
      parked: annotations[`${domain}/parked`] === 'true',
    };
  }

  /** Applies a life and waits until a pod of just this template is ready. */
  async bring(life: ColourLife, limit: number): Promise<void> {
    const environment = this.#environment;
    await keepCertificates(environment, this.#cluster);
    for (const manifest of [
      colourConfig(environment, life),
      colourService(environment, life.colour),
      colourBudget(environment, life.colour),
    ])
      await this.#cluster.apply(manifest);
    const applied = await this.#cluster.apply<ServerSet>(colourServer(environment, life));
    const name = this.name(life.colour);
    const current = await waitFor(
      async () => {
        const set = await this.read(life.colour);
        return set?.status?.updateRevision !== undefined &&
          (set.status.observedGeneration ?? 0) >= (applied.metadata.generation ?? 0)
          ? set
          : undefined;
      },
      {
        limit: podLimit,
        every: 20,
        what: `the StatefulSet ${this.#cluster.namespace}/${name} seen by its controller`,
        next: "see whether the cluster's controller manager runs; the same command continues from here.",
      },
    );
    const revision = current.status?.updateRevision;
    await untilReady(this.#cluster, `${name}-0`, {
      limit,
      unscheduled: environment.limits.pod,
      next: seeLog,
      accept: ({ metadata }) => metadata.labels?.['controller-revision-hash'] === revision,
    });
  }

  async start(colour: Colour): Promise<void> {
    const set = (await this.place(colour))?.set;
    if (!set) throw this.missing(colour);
    if (set.spec.replicas !== 1) await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 1 } });
    await untilReady(this.#cluster, podOf(set), {
      limit: podLimit,
      unscheduled: this.#environment.limits.pod,
      next: seeLog,
    });
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate'): Promise<void> {
    const set = (await this.place(colour))?.set;
    if (!set) throw this.missing(colour);
    await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 0 } });
    if (mode === 'immediate') await this.#cluster.delete('Pod', podOf(set), { grace: 1 });
    await untilGone(this.#cluster, 'Pod', podOf(set), podLimit);
  }

  missing(colour: Colour): VerdigrisError {
    return noColour(colour, `StatefulSet ${this.#cluster.namespace}/${this.name(colour)}`);
  }
}

export function podOf({ metadata: { name } }: ServerSet): string {
  return `${name}-0`;
}
