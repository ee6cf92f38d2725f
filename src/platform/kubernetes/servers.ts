import { colourBudget, colourConfig, colourServer, colourService, postgresImage, type ColourLife } from '../../components/manifests/colour.ts';
import { domain, objectNames } from '../../components/manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import { waitFor } from '../../model/wait.ts';
import { withClient, type ConnectionSettings } from '../../postgres/client.ts';
import type { BackupMode, RestoreOptions, ServerObservation, Servers, SnapshotFacts, Upgrades } from '../port.ts';
import type { Cluster, Stored } from './cluster.ts';
import { untilGone, untilReady, isReady, type Pod } from './pods.ts';
import type { Reach } from './reach.ts';
import type { Secrets } from './secrets.ts';
import { removeUpgrades, runUpgrade } from './upgrade.ts';
import { bytes, listSnapshots, makeVolume, snapshotMajor, takeSnapshot } from './storage.ts';

export interface ServerSet extends Stored {
  readonly spec: { readonly replicas: number };
  readonly status?: { readonly observedGeneration?: number; readonly updateRevision?: string };
}

/** Milliseconds for a pod of a volume that is there to come or to go. */
const podLimit = 300_000;
const seeLog = 'see `kubectl describe pod` and its log; the same command goes on from here.';

/** PostgreSQL in StatefulSets of one pod, each on a volume of its own. */
export class KubernetesServers implements Servers {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #reach: Reach;

  constructor(environment: Environment, cluster: Cluster, secrets: Secrets, reach: Reach) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#reach = reach;
  }

  /** An empty, running server: the first colour of a new environment. */
  async initialize(colour: Colour, major: number, generation: number, release: string): Promise<void> {
    await makeVolume(this.#cluster, this.#environment, colour, generation);
    await this.#run({ colour, generation, major, release, parked: false }, podLimit);
  }

  /** The server of a volume that is there, after somebody deleted its StatefulSet. */
  async revive(colour: Colour, generation: number, major: number, release: string): Promise<void> {
    await this.#run({ colour, generation, major, release, parked: false }, podLimit);
  }

  async observe(colour: Colour): Promise<ServerObservation | undefined> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
    const life = this.#life(colour, set);
    const pod = await this.#cluster.read<Pod>('Pod', `${this.#name(colour)}-0`);
    return { running: pod !== undefined && isReady(pod), generation: life.generation, major: life.major, version: String(life.major) };
  }

  async connection(colour: Colour): Promise<ConnectionSettings> {
    const address = await this.#reach.address(`${this.#name(colour)}-0`, 5432, this.#host(colour));
    return { ...address, user: operatorRole, password: await this.#secrets.operator(), database: 'postgres' };
  }

  async conninfo(colour: Colour): Promise<string> {
    return `host=${this.#host(colour)} port=5432 password=${await this.#secrets.replication()}`;
  }

  replicationPassword(): Promise<string> {
    return this.#secrets.replication();
  }

  /** The storage's own snapshot, declared atomic: crash-consistent, so that recovery replays what it holds. */
  async snapshot(colour: Colour, name: string, _backup: BackupMode, onBytes: (bytes: number) => void): Promise<SnapshotFacts> {
    const observed = await this.observe(colour);
    if (!observed) throw this.#missing(colour);
    // Recovery of the copy begins at the last checkpoint: with one just made it has next to nothing to replay.
    await withClient(await this.connection(colour), 'snapshot', (client) => client.query('CHECKPOINT'));
    const claim = objectNames.volume(this.#environment.name, colour, observed.generation);
    const taken = await takeSnapshot(this.#cluster, this.#environment, colour, observed.major, claim, name, this.#environment.limits.snapshot);
    const size = bytes(taken.status?.restoreSize ?? '0');
    onBytes(size);
    return { method: 'atomic', bytes: size };
  }

  async removeSnapshot(name: string): Promise<void> {
    const object = objectNames.snapshot(this.#environment.name, name);
    await this.#cluster.delete('VolumeSnapshot', object);
    await this.#untilDeleted('VolumeSnapshot', object);
  }

  snapshots(): Promise<string[]> {
    return listSnapshots(this.#cluster, this.#environment);
  }

  async restore(colour: Colour, snapshot: string, { generation }: RestoreOptions): Promise<void> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    const life = set && this.#life(colour, set);
    // Unparked already, by an earlier run of the same step: parking a promoted server again would falsify its position.
    if (life?.generation === generation && !life.parked) return this.start(colour);
    await makeVolume(this.#cluster, this.#environment, colour, generation, snapshot);
    const declared = this.#environment.colours[colour];
    const major = (life?.generation === generation ? life.major : undefined) ?? (await snapshotMajor(this.#cluster, this.#environment, snapshot)) ?? declared?.postgres;
    if (major === undefined) throw this.#missing(colour);
    await this.#run({ colour, generation, major, release: declared?.release ?? '', parked: true }, this.#environment.limits.snapshot);
  }

  async unpark(colour: Colour): Promise<void> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    if (!set) throw this.#missing(colour);
    await this.#run({ ...this.#life(colour, set), parked: false }, podLimit);
  }

  async start(colour: Colour): Promise<void> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    if (!set) throw this.#missing(colour);
    if (set.spec.replicas !== 1) await this.#cluster.merge('StatefulSet', this.#name(colour), { spec: { replicas: 1 } });
    await untilReady(this.#cluster, `${this.#name(colour)}-0`, { limit: podLimit, next: seeLog });
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate'): Promise<void> {
    await this.#cluster.merge('StatefulSet', this.#name(colour), { spec: { replicas: 0 } });
    if (mode === 'immediate') await this.#cluster.delete('Pod', `${this.#name(colour)}-0`, { grace: 1 });
    await untilGone(this.#cluster, `${this.#name(colour)}-0`, podLimit);
  }

  async remove(colour: Colour): Promise<void> {
    const name = this.#name(colour);
    await this.#cluster.delete('StatefulSet', name);
    await this.#cluster.delete('Pod', `${name}-0`, { grace: 1 });
    await untilGone(this.#cluster, `${name}-0`, podLimit);
    await removeUpgrades(this.#cluster, this.#environment, colour);
    for (const kind of ['PodDisruptionBudget', 'Service', 'ConfigMap'] as const) await this.#cluster.delete(kind, name);
    const claims = await this.#cluster.list('PersistentVolumeClaim', { 'app.kubernetes.io/instance': this.#environment.name, 'app.kubernetes.io/managed-by': 'verdigris', [`${domain}/colour`]: colour });
    for (const { metadata } of claims) await this.#cluster.delete('PersistentVolumeClaim', metadata.name);
    for (const { metadata } of claims) await this.#untilDeleted('PersistentVolumeClaim', metadata.name);
    await this.#untilDeleted('StatefulSet', name);
  }

  facts(): Promise<{ walOnOtherVolume: boolean }> {
    return Promise.resolve({ walOnOtherVolume: false });
  }

  readonly upgrades: Upgrades = {
    obstacle: (from, to) => {
      if (this.#environment.kubernetes.images.upgrade !== undefined) return undefined;
      return { seen: 'kubernetes.images.upgrade is not declared', mend: `Declare kubernetes.images.upgrade: an image with the binaries of PostgreSQL ${from} and ${to} in the folders PGBINOLD and PGBINNEW of its environment; or declare the same major for both colours.` };
    },
    run: async (colour, to) => {
      const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
      const { upgrade: image } = this.#environment.kubernetes.images;
      if (!set || image === undefined) throw this.#missing(colour);
      const life = this.#life(colour, set);
      let left = '';
      if (life.major !== to) {
        await this.stop(colour, 'fast');
        left = await runUpgrade(this.#cluster, this.#environment, image, { colour, generation: life.generation, from: life.major, to });
      }
      await this.#run({ ...life, major: to, parked: false }, podLimit);
      await removeUpgrades(this.#cluster, this.#environment, colour);
      return left;
    },
  };

  /** Any major has an official image; one that cannot be pulled shows when the pod is waited for. */
  async supports(major: number): Promise<void> {
    if (postgresImage(this.#environment, major) === '') throw this.#missing(this.#environment.live);
    await Promise.resolve();
  }

  /** Applies a life and waits until a pod of just this template is ready. */
  async #run(life: ColourLife, limit: number): Promise<void> {
    const environment = this.#environment;
    for (const manifest of [colourConfig(environment, life), colourService(environment, life.colour), colourBudget(environment, life.colour)]) await this.#cluster.apply(manifest);
    const applied = await this.#cluster.apply<ServerSet>(colourServer(environment, life));
    const name = this.#name(life.colour);
    const current = await waitFor(async () => {
      const set = await this.#cluster.read<ServerSet>('StatefulSet', name);
      return set?.status?.updateRevision !== undefined && (set.status.observedGeneration ?? 0) >= (applied.metadata.generation ?? 0) ? set : undefined;
    }, { limit: podLimit, every: 20, what: `the StatefulSet ${this.#cluster.namespace}/${name} seen by its controller`, next: 'see whether the cluster’s controller manager runs; the same command goes on from here.' });
    const revision = current.status?.updateRevision;
    await untilReady(this.#cluster, `${name}-0`, { limit, next: seeLog, accept: ({ metadata }) => metadata.labels?.['controller-revision-hash'] === revision });
  }

  async #untilDeleted(kind: 'PersistentVolumeClaim' | 'StatefulSet' | 'VolumeSnapshot', name: string): Promise<void> {
    await waitFor(async () => ((await this.#cluster.read(kind, name)) ? undefined : true), { limit: podLimit, every: 50, slowest: 500, what: `${kind} ${this.#cluster.namespace}/${name} gone`, next: 'see what keeps it: its finalizers name who; the same command goes on from here.' });
  }

  #life(colour: Colour, { metadata: { labels = {}, annotations = {} } }: ServerSet): ColourLife {
    return {
      colour,
      generation: Number(labels[`${domain}/generation`]),
      major: Number(labels['app.kubernetes.io/version']),
      release: annotations[`${domain}/release`] ?? '',
      parked: annotations[`${domain}/parked`] === 'true',
    };
  }

  #name(colour: Colour): string {
    return objectNames.colour(this.#environment.name, colour);
  }

  #host(colour: Colour): string {
    return `${this.#name(colour)}.${this.#cluster.namespace}.svc`;
  }

  #missing(colour: Colour): VerdigrisError {
    return new VerdigrisError('refused', 'no-colour', { seen: `There is no StatefulSet ${this.#cluster.namespace}/${this.#name(colour)}.`, required: `a server for ${colour}.`, next: 'see `verdigris status`.' });
  }
}
