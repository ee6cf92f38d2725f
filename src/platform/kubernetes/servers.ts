import type { SnapshotSource } from '../../manifests/storage.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { otherGeneration } from '../other-generation.ts';
import type { BackupMode, RestoreOptions, ServerObservation, Servers, SnapshotFacts } from '../port/servers.ts';
import type { Upgrades } from '../port/upgrades.ts';
import { ColourAddresses } from './addresses.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster, Stored } from './cluster.ts';
import { Copies } from './copies.ts';
import { isReady, type Pod } from './pods.ts';
import type { Reach } from './reach.ts';
import { Removal } from './removal.ts';
import type { Secrets } from './secrets.ts';
import { ColourSets, podLimit, podOf } from './sets.ts';
import { removeSnapshot, snapshotColour } from './snapshots.ts';
import { listSnapshots, takeSnapshot } from './storage.ts';
import { makeVolume } from './volumes.ts';
import type { Trust } from './trust.ts';
import { colourUpgrades } from './upgrade.ts';

/** PostgreSQL in StatefulSets of one pod, each on a volume of its own. */
export class KubernetesServers implements Servers {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #sets: ColourSets;
  readonly #addresses: ColourAddresses;
  readonly #copies: Copies;
  readonly #removal: Removal;
  readonly #adoption: AdoptedServer;
  readonly upgrades: Upgrades;

  constructor(
    environment: Environment,
    cluster: Cluster,
    secrets: Secrets,
    reach: Reach,
    adoption: AdoptedServer,
    trust: Trust,
  ) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#sets = new ColourSets(environment, cluster, adoption);
    this.#addresses = new ColourAddresses(environment, cluster, secrets, reach, trust, this.#sets);
    this.#copies = new Copies(environment, cluster, this.#sets);
    this.#adoption = adoption;
    this.#removal = new Removal(environment, cluster, this.#sets, adoption);
    this.upgrades = colourUpgrades(environment, cluster, this.#sets);
  }

  /** An empty, running server: the first colour of a new environment. */
  async initialize(colour: Colour, major: number, generation: number, release: string): Promise<void> {
    await makeVolume(this.#cluster, this.#environment, colour, generation);
    await this.#bring(colour, generation, major, release);
  }

  /** The server of a volume that is there, after somebody deleted its StatefulSet. */
  async revive(colour: Colour, generation: number, major: number, release: string): Promise<void> {
    await this.#bring(colour, generation, major, release);
  }

  async #bring(colour: Colour, generation: number, major: number, release: string): Promise<void> {
    await this.#sets.bring({ colour, generation, major, release, parked: false }, podLimit);
    await this.#addresses.untilReached(colour);
  }

  /** The first colour of a new environment, of a VolumeSnapshot `name`: see `Copies`. */
  async provision(colour: Colour, name: string, generation: number, release: string): Promise<void> {
    await this.#copies.provision(colour, name, generation, release);
    await this.#addresses.untilReached(colour);
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

  encrypted(colour: Colour): Promise<boolean> {
    return this.#addresses.encrypted(colour);
  }

  readerConnection(colour: Colour): Promise<ConnectionSettings> {
    return this.#addresses.reader(colour);
  }

  connection(colour: Colour): Promise<ConnectionSettings> {
    return this.#addresses.operator(colour);
  }

  conninfo(colour: Colour): Promise<string> {
    return this.#addresses.conninfo(colour);
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

  /** The driver counts no bytes while it copies, if it copies at all. */
  async snapshot(colour: Colour, name: string, backup: BackupMode): Promise<SnapshotFacts> {
    const source = await this.sourceOf(colour);
    // Recovery of the copy begins at the last checkpoint: with one just made it has next to nothing to replay.
    await withOwnSession(await this.connection(colour), 'snapshot', (client) => client.query('CHECKPOINT'));
    return snapshotColour(this.#cluster, this.#environment, source, name, backup);
  }

  /** An adopted server and its volume are their owner's, who has them afterwards too. */
  async archive(colour: Colour, name: string): Promise<boolean> {
    if (await this.#adoption.of(colour)) return false;
    const source = await this.sourceOf(colour);
    await this.stop(colour, 'fast');
    await takeSnapshot(this.#cluster, this.#environment, source, name, this.#environment.limits.snapshot);
    return true;
  }

  removeSnapshot(name: string): Promise<string | undefined> {
    return removeSnapshot(this.#cluster, this.#environment, name);
  }

  snapshots(): Promise<string[]> {
    return listSnapshots(this.#cluster, this.#environment);
  }

  async restore(colour: Colour, snapshot: string, options: RestoreOptions): Promise<void> {
    await this.#copies.restore(colour, snapshot, options);
    await this.#addresses.untilReached(colour);
  }

  async unpark(colour: Colour): Promise<void> {
    await this.#copies.unpark(colour);
    await this.#addresses.untilReached(colour);
  }

  async start(colour: Colour): Promise<void> {
    await this.#sets.start(colour);
    await this.#addresses.untilReached(colour);
  }

  stop(colour: Colour, mode: 'fast' | 'immediate'): Promise<void> {
    return this.#sets.stop(colour, mode);
  }

  async remove(colour: Colour, generation: number | undefined): Promise<string | undefined> {
    const there = (await this.observe(colour))?.generation;
    if (there !== undefined && there !== generation) throw otherGeneration(colour, generation, there);
    return this.#removal.remove(colour);
  }

  /** Ends the adoption of a colour; false where it is a server of our own. */
  letGo(colour: Colour): Promise<boolean> {
    return this.#removal.letGo(colour);
  }

  facts(): Promise<{ walOnOtherVolume: boolean }> {
    return Promise.resolve({ walOnOtherVolume: false });
  }

  /** Any major has an official image; one that cannot be pulled shows when the pod is waited for. */
  supports(): Promise<void> {
    return Promise.resolve();
  }
}
