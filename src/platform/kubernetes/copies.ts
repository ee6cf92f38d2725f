import { dataPath, type ColourLife } from '../../manifests/colour.ts';
import { domain, objectNames } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { snapshotMissing } from '../../model/failures.ts';
import type { RestoreOptions } from '../port/servers.ts';
import type { Cluster } from './cluster.ts';
import { untilGone } from './pod-waits.ts';
import { podLimit, type ColourSets } from './sets.ts';
import { logSuffix } from './snapshots.ts';
import { snapshotContent } from './storage.ts';
import { makeVolume } from './volumes.ts';
import { copyNotWhole } from '../../model/failures.ts';

/** Servers that are made of a VolumeSnapshot. */
export class Copies {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #sets: ColourSets;

  constructor(environment: Environment, cluster: Cluster, sets: ColourSets) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#sets = sets;
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
    if (set && set.metadata.annotations?.[`${domain}/provisioned`] === 'false') return this.#sets.start(colour);
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

  async restore(colour: Colour, snapshot: string, { generation }: RestoreOptions): Promise<void> {
    const set = await this.#sets.read(colour);
    const life = set && this.#sets.life(colour, set);
    // Unparked already, by an earlier run of the same step: parking a promoted server again would falsify its position.
    if (life?.generation === generation && !life.parked) return this.#sets.start(colour);
    const object = objectNames.snapshot(this.#environment.name, snapshot);
    await makeVolume(this.#cluster, this.#environment, colour, generation, object);
    const declared = this.#environment.colours[colour];
    const content = await snapshotContent(this.#cluster, object);
    const major = content?.major ?? life?.major ?? declared?.postgres;
    if (major === undefined) throw this.#sets.missing(colour);
    const backup = content?.label === undefined ? undefined : { label: content.label, path: content.path ?? dataPath };
    if (!backup && this.#environment.kubernetes.snapshots === 'backup')
      throw snapshotMissing(
        `The VolumeSnapshot ${this.#cluster.namespace}/${object} is ${content ? 'without its backup_label: the backup was interrupted' : 'not there'}.`,
      );
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
      throw copyNotWhole(
        `The copy does not start: ${String(cause)}.`,
        "the driver's snapshots are not of one instant: declare kubernetes.snapshots: backup (docs/kubernetes.md).",
        { ...error.facts },
        error,
      );
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
}
