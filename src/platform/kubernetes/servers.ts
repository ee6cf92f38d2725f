import { colourBudget, colourConfig, colourServer, colourService, dataPath, postgresImage, type ColourLife } from '../../components/manifests/colour.ts';
import type { Adopted } from '../../components/manifests/adopted.ts';
import { domain, objectNames } from '../../components/manifests/names.ts';
import { tlsMount } from '../../components/manifests/settings.ts';
import { labelAnnotation, type SnapshotSource } from '../../components/manifests/storage.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import { waitFor } from '../../model/wait.ts';
import { withClient, type ConnectionSettings } from '../../postgres/client.ts';
import type { BackupMode, RestoreOptions, ServerObservation, Servers, SnapshotFacts, Upgrades } from '../port.ts';
import type { Adoption } from './adopted.ts';
import type { Cluster, Stored } from './cluster.ts';
import { untilGone, untilReady, isReady, type Pod } from './pods.ts';
import type { Reach } from './reach.ts';
import type { Secrets } from './secrets.ts';
import { removeUpgrades, runUpgrade } from './upgrade.ts';
import { bytes, listSnapshots, makeVolume, snapshotContent, takeSnapshot, type SnapshotObject } from './storage.ts';

export interface ServerSet extends Stored {
  readonly spec: { readonly replicas: number };
  readonly status?: { readonly observedGeneration?: number; readonly updateRevision?: string };
}

/** Where a colour is: its StatefulSet, ours or an adopted one, its volume, and its data directory on it. */
interface Place {
  readonly set: ServerSet;
  readonly life: ColourLife;
  readonly claim: string;
  readonly path: string;
  readonly adopted?: Adopted;
}

/** Of the name of a snapshot's other half, in backup mode. */
const logSuffix = '-log';

/** Milliseconds for a pod of a volume that is there to come or to go. */
const podLimit = 300_000;
const seeLog = 'see `kubectl describe pod` and its log; the same command goes on from here.';

/** PostgreSQL in StatefulSets of one pod, each on a volume of its own. */
export class KubernetesServers implements Servers {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #reach: Reach;
  readonly #adoption: Adoption;

  constructor(environment: Environment, cluster: Cluster, secrets: Secrets, reach: Reach, adoption: Adoption) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#reach = reach;
    this.#adoption = adoption;
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

  /** The first colour of a new environment, of a VolumeSnapshot `name`, whoever's: nobody but the operator can log in to it. */
  async provision(colour: Colour, name: string, generation: number, release: string): Promise<void> {
    const content = await snapshotContent(this.#cluster, name);
    const major = content?.major ?? this.#environment.colours[colour]?.postgres;
    if (major === undefined) throw this.#missing(colour);
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    // Opened already, by an earlier run.
    if (set && set.metadata.annotations?.[`${domain}/provisioned`] === 'false') return this.start(colour);
    await makeVolume(this.#cluster, this.#environment, colour, generation, name);
    const claim = await this.#cluster.read('PersistentVolumeClaim', objectNames.volume(this.#environment.name, colour, generation));
    await this.#run({ colour, generation, major, release, parked: false, provisioned: true, volume: claim?.metadata.uid ?? '', ...(content?.path === undefined || content.path === dataPath ? {} : { path: content.path }) }, this.#environment.limits.snapshot);
  }

  /** Uid of the claim that holds a colour's data: it tells a volume from every copy of it. */
  async claimOf(colour: Colour): Promise<string | undefined> {
    const place = await this.#place(colour);
    return place && (await this.#cluster.read('PersistentVolumeClaim', place.claim))?.metadata.uid;
  }

  /** What a snapshot of a colour is made of. */
  async sourceOf(colour: Colour): Promise<SnapshotSource> {
    const place = await this.#place(colour);
    if (!place) throw this.#missing(colour);
    return { colour, major: place.life.major, claim: place.claim, path: place.path };
  }

  /** Of the claim that holds a colour's data; undefined where there is none yet. */
  async storageClassOf(colour: Colour): Promise<string | undefined> {
    const place = await this.#place(colour);
    return place && (await this.#cluster.read<Stored & { spec: { storageClassName?: string } }>('PersistentVolumeClaim', place.claim))?.spec.storageClassName;
  }

  async observe(colour: Colour): Promise<ServerObservation | undefined> {
    const place = await this.#place(colour);
    if (!place) return undefined;
    const { generation, major } = place.life;
    const pod = await this.#cluster.read<Pod>('Pod', podOf(place.set));
    return { running: pod !== undefined && isReady(pod), generation, major, version: String(major) };
  }

  async connection(colour: Colour): Promise<ConnectionSettings> {
    const address = await this.#reach.address(await this.#pod(colour), 5432, this.#host(colour));
    return { ...address, user: operatorRole, password: await this.#secrets.operator(), database: 'postgres', passwordFrom: `the Secret ${this.#cluster.namespace}/${objectNames.operatorSecret(this.#environment.name)}, key password` };
  }

  async conninfo(colour: Colour): Promise<string> {
    // An adopted server has the certificate that its owner gave it, or none.
    const tls = this.#environment.kubernetes.tls && !(await this.#place(colour))?.adopted;
    return `host=${this.#host(colour)} port=5432 password=${await this.#secrets.replication()}${tls ? ` sslmode=verify-full sslrootcert=${tlsMount}/ca.crt` : ''}`;
  }

  replicationPassword(): Promise<string> {
    return this.#secrets.replication();
  }

  /** The storage's own snapshot. Atomic, it is crash-consistent: recovery replays what it holds. Otherwise it is two, see `inBackupMode`. */
  async snapshot(colour: Colour, name: string, backup: BackupMode, onBytes: (bytes: number) => void): Promise<SnapshotFacts> {
    const source = await this.sourceOf(colour);
    // Recovery of the copy begins at the last checkpoint: with one just made it has next to nothing to replay.
    await withClient(await this.connection(colour), 'snapshot', (client) => client.query('CHECKPOINT'));
    const take = (each: string) => takeSnapshot(this.#cluster, this.#environment, source, each, this.#environment.limits.snapshot);
    const backingUp = this.#environment.kubernetes.snapshots === 'backup';
    const taken = backingUp ? await this.#inBackupMode(name, backup, take) : await take(name);
    const size = bytes(taken.status?.restoreSize ?? '0');
    onBytes(size);
    return { method: backingUp ? 'copy' : 'atomic', bytes: size };
  }

  /**
   * The data between pg_backup_start and pg_backup_stop, and then, by a second snapshot, the log: every segment up to the end of the
   * backup is complete by then, and what is torn after it ends the replay, which is X. The segments are still there because the
   * release's slot is older. The label is written last: a snapshot without it is not whole.
   */
  async #inBackupMode(name: string, backup: BackupMode, take: (name: string) => Promise<SnapshotObject>): Promise<SnapshotObject> {
    const object = objectNames.snapshot(this.#environment.name, name);
    const before = await this.#cluster.read<SnapshotObject>('VolumeSnapshot', object);
    if (before?.metadata.annotations?.[labelAnnotation] !== undefined) return before;
    await this.removeSnapshot(name);
    const { label } = await backup(async () => void (await take(name)));
    await take(`${name}${logSuffix}`);
    return this.#cluster.merge<SnapshotObject>('VolumeSnapshot', object, { metadata: { annotations: { [labelAnnotation]: label } } });
  }

  async removeSnapshot(name: string): Promise<void> {
    const object = objectNames.snapshot(this.#environment.name, name);
    for (const each of [object, `${object}${logSuffix}`]) {
      await this.#cluster.delete('VolumeSnapshot', each);
      await this.#untilDeleted('VolumeSnapshot', each);
    }
  }

  snapshots(): Promise<string[]> {
    return listSnapshots(this.#cluster, this.#environment);
  }

  async restore(colour: Colour, snapshot: string, { generation }: RestoreOptions): Promise<void> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    const life = set && this.#life(colour, set);
    // Unparked already, by an earlier run of the same step: parking a promoted server again would falsify its position.
    if (life?.generation === generation && !life.parked) return this.start(colour);
    const object = objectNames.snapshot(this.#environment.name, snapshot);
    await makeVolume(this.#cluster, this.#environment, colour, generation, object);
    const declared = this.#environment.colours[colour];
    const content = await snapshotContent(this.#cluster, object);
    const major = content?.major ?? life?.major ?? declared?.postgres;
    if (major === undefined) throw this.#missing(colour);
    const backup = content?.label === undefined ? undefined : { label: content.label, path: content.path ?? dataPath };
    if (!backup && this.#environment.kubernetes.snapshots === 'backup') throw new VerdigrisError('failed', 'snapshot-missing', { seen: `The VolumeSnapshot ${this.#cluster.namespace}/${object} is ${content ? 'without its backup_label: it was cut short' : 'not there'}.`, required: 'a whole snapshot.', next: 'run `verdigris abandon`, then seed again.' });
    if (backup) await makeVolume(this.#cluster, this.#environment, colour, generation, `${object}${logSuffix}`, objectNames.log(this.#environment.name, colour, generation));
    const claim = await this.#cluster.read('PersistentVolumeClaim', objectNames.volume(this.#environment.name, colour, generation));
    await this.#run({ colour, generation, major, release: declared?.release ?? '', parked: true, volume: claim?.metadata.uid ?? '', ...(backup ? { backup } : {}), ...(content?.path === undefined || content.path === dataPath ? {} : { path: content.path }) }, this.#environment.limits.snapshot);
  }

  async unpark(colour: Colour): Promise<void> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    if (!set) throw this.#missing(colour);
    const life = this.#life(colour, set);
    await this.#run({ ...life, parked: false }, podLimit);
    const log = objectNames.log(this.#environment.name, colour, life.generation);
    await this.#cluster.delete('PersistentVolumeClaim', log);
    await this.#untilDeleted('PersistentVolumeClaim', log);
  }

  async start(colour: Colour): Promise<void> {
    const set = (await this.#place(colour))?.set;
    if (!set) throw this.#missing(colour);
    if (set.spec.replicas !== 1) await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 1 } });
    await untilReady(this.#cluster, podOf(set), { limit: podLimit, next: seeLog });
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate'): Promise<void> {
    const set = (await this.#place(colour))?.set;
    if (!set) throw this.#missing(colour);
    await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 0 } });
    if (mode === 'immediate') await this.#cluster.delete('Pod', podOf(set), { grace: 1 });
    await untilGone(this.#cluster, podOf(set), podLimit);
  }

  /** An adopted server is let go as it is, fenced, unless its removal was declared: its owner may still want it. */
  async remove(colour: Colour): Promise<void> {
    const name = this.#name(colour);
    const adopted = await this.#adoption.of(colour);
    if (adopted && (await this.letGo(colour, adopted.atRetire))) return;
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

  /** Ends the adoption of a colour; false where it is a server of our own. */
  async letGo(colour: Colour, how: Adopted['atRetire'] = 'keep'): Promise<boolean> {
    const adopted = await this.#adoption.of(colour);
    if (!adopted || (await this.#cluster.read('StatefulSet', this.#name(colour)))) return false;
    const { statefulSet, claim } = adopted;
    if (how === 'remove') {
      await this.#cluster.delete('StatefulSet', statefulSet);
      await this.#untilDeleted('StatefulSet', statefulSet);
      await untilGone(this.#cluster, `${statefulSet}-0`, podLimit);
      await this.#cluster.delete('PersistentVolumeClaim', claim);
      await this.#untilDeleted('PersistentVolumeClaim', claim);
    }
    await this.#cluster.delete('Service', this.#name(colour));
    await this.#adoption.forget();
    return true;
  }

  async #place(colour: Colour): Promise<Place | undefined> {
    const set = await this.#cluster.read<ServerSet>('StatefulSet', this.#name(colour));
    if (set?.metadata.deletionTimestamp !== undefined) return undefined;
    if (set) {
      const life = this.#life(colour, set);
      return { set, life, claim: objectNames.volume(this.#environment.name, colour, life.generation), path: dataPath };
    }
    const adopted = await this.#adoption.of(colour);
    const theirs = adopted && (await this.#cluster.read<ServerSet>('StatefulSet', adopted.statefulSet));
    if (!theirs) return undefined;
    const { major, release, claim, path } = adopted;
    return { set: theirs, life: { colour, generation: 1, major, release, parked: false }, claim, path, adopted };
  }

  async #pod(colour: Colour): Promise<string> {
    const own = `${this.#name(colour)}-0`;
    const adopted = await this.#adoption.of(colour);
    return !adopted || (await this.#cluster.read('StatefulSet', this.#name(colour))) ? own : `${adopted.statefulSet}-0`;
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

function podOf({ metadata: { name } }: ServerSet): string {
  return `${name}-0`;
}
