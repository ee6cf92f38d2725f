import { dataPath, postgresImage, type ColourLife } from '../../manifests/colour.ts';
import type { Adopted } from '../../manifests/adopted.ts';
import { domain, objectNames } from '../../manifests/names.ts';
import { tlsMount } from '../../manifests/settings.ts';
import type { SnapshotSource } from '../../manifests/storage.ts';
import { other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole, readerRole } from '../../model/names.ts';
import { withOwnSession, type ConnectionSettings } from '../../postgres/client.ts';
import { operatorLogin } from '../operator-login.ts';
import { otherGeneration } from '../other-generation.ts';
import type { BackupMode, RestoreOptions, ServerObservation, Servers, SnapshotFacts } from '../port/servers.ts';
import type { Upgrades } from '../port/upgrades.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster, Stored } from './cluster.ts';
import { untilGone, untilReady } from './pod-waits.ts';
import { isReady, type Pod } from './pods.ts';
import type { Reach } from './reach.ts';
import type { Secrets } from './secrets.ts';
import { ColourSets, podLimit, podOf, seeLog } from './sets.ts';
import { logSuffix, removeSnapshot, snapshotColour } from './snapshots.ts';
import { listSnapshots, makeVolume, snapshotContent } from './storage.ts';
import type { Trust } from './trust.ts';
import { removeUpgrades, runUpgrade } from './upgrade.ts';

/** PostgreSQL in StatefulSets of one pod, each on a volume of its own. */
export class KubernetesServers implements Servers {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #reach: Reach;
  readonly #adoption: AdoptedServer;
  readonly #trust: Trust;
  readonly #encrypted = new Set<Colour>();
  readonly #sets: ColourSets;

  constructor(
    environment: Environment,
    cluster: Cluster,
    secrets: Secrets,
    reach: Reach,
    adoption: AdoptedServer,
    trust: Trust,
  ) {
    this.#trust = trust;
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#reach = reach;
    this.#adoption = adoption;
    this.#sets = new ColourSets(environment, cluster, adoption);
  }

  /** An empty, running server: the first colour of a new environment. */
  async initialize(colour: Colour, major: number, generation: number, release: string): Promise<void> {
    await makeVolume(this.#cluster, this.#environment, colour, generation);
    await this.#sets.bring({ colour, generation, major, release, parked: false }, podLimit);
  }

  /** The server of a volume that is there, after somebody deleted its StatefulSet. */
  async revive(colour: Colour, generation: number, major: number, release: string): Promise<void> {
    await this.#sets.bring({ colour, generation, major, release, parked: false }, podLimit);
  }

  /**
   * The first colour of a new environment, of a VolumeSnapshot `name`, whoever's: nobody but the operator can log in to
   * it.
   */
  async provision(colour: Colour, name: string, generation: number, release: string): Promise<void> {
    const content = await snapshotContent(this.#cluster, name);
    const major = content?.major ?? this.#environment.colours[colour]?.postgres;
    if (major === undefined) throw this.#sets.missing(colour);
    const set = await this.#sets.read(colour);
    // Opened already, by an earlier run.
    if (set && set.metadata.annotations?.[`${domain}/provisioned`] === 'false') return this.start(colour);
    await makeVolume(this.#cluster, this.#environment, colour, generation, name);
    const claim = await this.#cluster.read(
      'PersistentVolumeClaim',
      objectNames.volume(this.#environment.name, colour, generation),
    );
    await this.#sets.bring(
      {
        colour,
        generation,
        major,
        release,
        parked: false,
        provisioned: true,
        volume: claim?.metadata.uid ?? '',
        ...(content?.path === undefined || content.path === dataPath ? {} : { path: content.path }),
      },
      this.#environment.limits.snapshot,
    );
  }

  /** Uid of the claim that holds a colour's data: it tells a volume from every copy of it. */
  async claimOf(colour: Colour): Promise<string | undefined> {
    const place = await this.#sets.place(colour);
    return place && (await this.#cluster.read('PersistentVolumeClaim', place.claim))?.metadata.uid;
  }

  /** What a snapshot of a colour is made of. */
  async sourceOf(colour: Colour): Promise<SnapshotSource> {
    const place = await this.#sets.place(colour);
    if (!place) throw this.#sets.missing(colour);
    return { colour, major: place.life.major, claim: place.claim, path: place.path };
  }

  /** Of the claim that holds a colour's data; undefined where there is none yet. */
  async storageClassOf(colour: Colour): Promise<string | undefined> {
    const place = await this.#sets.place(colour);
    return (
      place &&
      (await this.#cluster.read<Stored & { spec: { storageClassName?: string } }>('PersistentVolumeClaim', place.claim))
        ?.spec.storageClassName
    );
  }

  async observe(colour: Colour): Promise<ServerObservation | undefined> {
    const place = await this.#sets.place(colour);
    if (!place) return undefined;
    const { generation, major, release } = place.life;
    const pod = await this.#cluster.read<Pod>('Pod', podOf(place.set));
    return { running: pod !== undefined && isReady(pod), generation, major, version: String(major), release };
  }

  /** Whether a colour's server was made with a certificate; one that was has it as long as TLS is declared. */
  async encrypted(colour: Colour): Promise<boolean> {
    if (!this.#environment.kubernetes.tls) return false;
    if (!this.#encrypted.has(colour) && (await this.#sets.encrypted(colour))) this.#encrypted.add(colour);
    return this.#encrypted.has(colour);
  }

  async #address(colour: Colour): Promise<Pick<ConnectionSettings, 'host' | 'port' | 'tls'>> {
    const host = this.#host(colour);
    const [address, encrypted] = [
      await this.#reach.address(await this.#sets.pod(colour), 5432, host),
      await this.encrypted(colour),
    ];
    return encrypted ? { ...address, tls: await this.#trust.of(host) } : address;
  }

  async readerConnection(colour: Colour): Promise<ConnectionSettings> {
    return {
      ...(await this.#address(colour)),
      user: readerRole,
      password: await this.#secrets.reader(),
      others: async () => (await this.#secrets.readersAgain()).map((password) => ({ password })),
      database: 'postgres',
      passwordFrom: `the Secret ${this.#cluster.namespace}/${objectNames.readerSecret(this.#environment.name)}, key password`,
    };
  }

  async connection(colour: Colour): Promise<ConnectionSettings> {
    return {
      ...(await this.#address(colour)),
      user: operatorRole,
      ...(await operatorLogin((again) => (again ? this.#secrets.ownAgain('operator') : this.#secrets.own('operator')))),
      database: 'postgres',
      passwordFrom: `the Secret ${this.#cluster.namespace}/${objectNames.operatorSecret(this.#environment.name)}, key password`,
    };
  }

  async conninfo(colour: Colour): Promise<string> {
    const [sender, receiver] = [await this.encrypted(colour), await this.#sets.place(other(colour))];
    // A receiver that was made before TLS was declared does not know who signs.
    const knows = receiver === undefined || (await this.encrypted(other(colour)));
    const mode = knows ? `verify-full sslrootcert=${tlsMount}/ca.crt` : 'require';
    const verified = sender ? ` sslmode=${mode}` : '';
    return `host=${this.#host(colour)} port=5432 password=${await this.#secrets.replication()}${verified}`;
  }

  replicationPassword(): Promise<string> {
    return this.#secrets.replication();
  }

  seeding(): 'physical' {
    return 'physical';
  }

  ownsStorage(): boolean {
    return true;
  }

  async snapshot(
    colour: Colour,
    name: string,
    backup: BackupMode,
    onBytes: (bytes: number) => void,
  ): Promise<SnapshotFacts> {
    const source = await this.sourceOf(colour);
    // Recovery of the copy begins at the last checkpoint: with one just made it has next to nothing to replay.
    await withOwnSession(await this.connection(colour), 'snapshot', (client) => client.query('CHECKPOINT'));
    const facts = await snapshotColour(this.#cluster, this.#environment, source, name, backup);
    onBytes(facts.bytes);
    return facts;
  }

  removeSnapshot(name: string): Promise<string | undefined> {
    return removeSnapshot(this.#cluster, this.#environment, name);
  }

  snapshots(): Promise<string[]> {
    return listSnapshots(this.#cluster, this.#environment);
  }

  async restore(colour: Colour, snapshot: string, { generation }: RestoreOptions): Promise<void> {
    const set = await this.#sets.read(colour);
    const life = set && this.#sets.life(colour, set);
    // Unparked already, by an earlier run of the same step: parking a promoted server again would falsify its position.
    if (life?.generation === generation && !life.parked) return this.start(colour);
    const object = objectNames.snapshot(this.#environment.name, snapshot);
    await makeVolume(this.#cluster, this.#environment, colour, generation, object);
    const declared = this.#environment.colours[colour];
    const content = await snapshotContent(this.#cluster, object);
    const major = content?.major ?? life?.major ?? declared?.postgres;
    if (major === undefined) throw this.#sets.missing(colour);
    const backup = content?.label === undefined ? undefined : { label: content.label, path: content.path ?? dataPath };
    if (!backup && this.#environment.kubernetes.snapshots === 'backup')
      throw new VerdigrisError('snapshot-missing', {
        seen: `The VolumeSnapshot ${this.#cluster.namespace}/${object} is ${content ? 'without its backup_label: it was cut short' : 'not there'}.`,
        required: 'a whole snapshot.',
        next: 'run `verdigris abandon`, then seed again.',
      });
    if (backup)
      await makeVolume(
        this.#cluster,
        this.#environment,
        colour,
        generation,
        `${object}${logSuffix}`,
        objectNames.log(this.#environment.name, colour, generation),
      );
    const claim = await this.#cluster.read(
      'PersistentVolumeClaim',
      objectNames.volume(this.#environment.name, colour, generation),
    );
    await this.#copied(
      {
        colour,
        generation,
        major,
        release: declared?.release ?? '',
        parked: true,
        volume: claim?.metadata.uid ?? '',
        ...(backup ? { backup } : {}),
        ...(content?.path === undefined || content.path === dataPath ? {} : { path: content.path }),
      },
      this.#environment.limits.snapshot,
    );
  }

  /** Brings a copy up. One that ends again and again was not of one instant, as far as anybody can tell from here. */
  async #copied(life: ColourLife, limit: number): Promise<void> {
    try {
      await this.#sets.bring(life, limit);
    } catch (error) {
      const { snapshots } = this.#environment.kubernetes;
      if (!(error instanceof VerdigrisError) || error.id !== 'pod-stuck' || snapshots === 'backup') throw error;
      const { cause } = error.facts;
      if (!/ ended \d+ times/.test(String(cause))) throw error;
      throw new VerdigrisError('copy-not-whole', {
        seen: `The copy does not start: ${String(cause)}.`,
        required: 'a snapshot of one instant, whose log and data belong together.',
        next:
          'seed again. Where it ends so again, the driver’s snapshots are not of one instant: declare ' +
          'kubernetes.snapshots: backup (docs/kubernetes.md), which takes them piece by piece. The live colour is untouched.',
        facts: { ...error.facts },
        cause: error,
      });
    }
  }

  async unpark(colour: Colour): Promise<void> {
    const set = await this.#sets.read(colour);
    if (!set) throw this.#sets.missing(colour);
    const life = this.#sets.life(colour, set);
    await this.#copied({ ...life, parked: false }, podLimit);
    const log = objectNames.log(this.#environment.name, colour, life.generation);
    await this.#cluster.delete('PersistentVolumeClaim', log);
    await untilGone(this.#cluster, 'PersistentVolumeClaim', log, podLimit);
  }

  async start(colour: Colour): Promise<void> {
    const set = (await this.#sets.place(colour))?.set;
    if (!set) throw this.#sets.missing(colour);
    if (set.spec.replicas !== 1) await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 1 } });
    await untilReady(this.#cluster, podOf(set), {
      limit: podLimit,
      unscheduled: this.#environment.limits.pod,
      next: seeLog,
    });
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate'): Promise<void> {
    const set = (await this.#sets.place(colour))?.set;
    if (!set) throw this.#sets.missing(colour);
    await this.#cluster.merge('StatefulSet', set.metadata.name, { spec: { replicas: 0 } });
    if (mode === 'immediate') await this.#cluster.delete('Pod', podOf(set), { grace: 1 });
    await untilGone(this.#cluster, 'Pod', podOf(set), podLimit);
  }

  /** An adopted server is let go as it is, fenced, unless its removal was declared: its owner may still want it. */
  async remove(colour: Colour, generation: number | undefined): Promise<void> {
    const there = (await this.observe(colour))?.generation;
    if (there !== undefined && there !== generation) throw otherGeneration(colour, generation, there);
    const name = this.#sets.name(colour);
    const adopted = await this.#adoption.of(colour);
    if (adopted && (await this.letGo(colour, adopted.atRetire))) return;
    await this.#cluster.delete('StatefulSet', name);
    await this.#cluster.delete('Pod', `${name}-0`, { grace: 1 });
    await untilGone(this.#cluster, 'Pod', `${name}-0`, podLimit);
    await removeUpgrades(this.#cluster, this.#environment, colour);
    for (const kind of ['PodDisruptionBudget', 'Service', 'ConfigMap'] as const) await this.#cluster.delete(kind, name);
    const claims = await this.#cluster.list('PersistentVolumeClaim', {
      'app.kubernetes.io/instance': this.#environment.name,
      'app.kubernetes.io/managed-by': 'verdigris',
      [`${domain}/colour`]: colour,
    });
    for (const { metadata } of claims) await this.#cluster.delete('PersistentVolumeClaim', metadata.name);
    for (const { metadata } of claims) await untilGone(this.#cluster, 'PersistentVolumeClaim', metadata.name, podLimit);
    await untilGone(this.#cluster, 'StatefulSet', name, podLimit);
  }

  facts(): Promise<{ walOnOtherVolume: boolean }> {
    return Promise.resolve({ walOnOtherVolume: false });
  }

  readonly upgrades: Upgrades = {
    obstacle: (from, to) => {
      if (this.#environment.kubernetes.images.upgrade !== undefined) return undefined;
      return {
        seen: 'kubernetes.images.upgrade is not declared',
        fix:
          `Declare kubernetes.images.upgrade: an image with the binaries of PostgreSQL ${from} and ${to} in the ` +
          'folders PGBINOLD and PGBINNEW of its environment; or declare the same major for both colours.',
      };
    },
    run: async (colour, to) => {
      const set = await this.#sets.read(colour);
      const { upgrade: image } = this.#environment.kubernetes.images;
      if (!set || image === undefined) throw this.#sets.missing(colour);
      const life = this.#sets.life(colour, set);
      let left = '';
      if (life.major !== to) {
        await this.stop(colour, 'fast');
        left = await runUpgrade(this.#cluster, this.#environment, image, {
          colour,
          generation: life.generation,
          from: life.major,
          to,
        });
      }
      await this.#sets.bring({ ...life, major: to, parked: false }, podLimit);
      await removeUpgrades(this.#cluster, this.#environment, colour);
      return left;
    },
  };

  /** Any major has an official image; one that cannot be pulled shows when the pod is waited for. */
  async supports(major: number): Promise<void> {
    if (postgresImage(this.#environment, major) === '') throw this.#sets.missing(this.#environment.live);
    await Promise.resolve();
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

  #host(colour: Colour): string {
    return `${this.#sets.name(colour)}.${this.#cluster.namespace}.svc`;
  }
}
