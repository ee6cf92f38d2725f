import { domain, metadata, type Named } from '../../../manifests/names.ts';
import { processIsGone, thisProcess } from '../../../machine/process.ts';
import type { Cluster, Stored } from '../cluster.ts';

interface MarkObject extends Stored {
  readonly spec: { readonly renewTime?: string };
}

const cloneKey = `${domain}/clone`;
const processKey = `${domain}/process`;

/** Seconds after which a mark that nobody renews is a dead maker's, and milliseconds between two renewals. */
const duration = 60;
const renewEvery = 5_000;

/** Leases that say which throw-away environments of an environment there are, and that whoever made each lives. */
export class CloneMarks {
  readonly #cluster: Cluster;
  readonly #environment: Named;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  /**
   * Before anything else of a clone is made. It goes last: `release` ends the renewing alone, `remove` the mark as
   * well.
   */
  async make(clone: string): Promise<{ release: () => void; remove: () => Promise<void> }> {
    const spec = () => ({
      holderIdentity: clone,
      leaseDurationSeconds: duration,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    });
    await this.#cluster.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: metadata(
        this.#environment,
        'drill',
        clone,
        { [cloneKey]: clone },
        { [processKey]: (await thisProcess()) ?? '' },
      ),
      spec: spec(),
    });
    const renewal = setInterval(
      () => void this.#cluster.merge('Lease', clone, { spec: spec() }).catch(() => undefined),
      renewEvery,
    );
    const release = (): void => clearInterval(renewal);
    return { release, remove: () => (release(), this.remove(clone)) };
  }

  async remove(clone: string): Promise<void> {
    await this.#cluster.delete('Lease', clone);
  }

  async all(): Promise<string[]> {
    return (await this.#read()).map(({ metadata: { name } }) => name);
  }

  /** Those whose maker is gone. */
  async abandoned(): Promise<string[]> {
    const found: string[] = [];
    for (const {
      metadata: { name, annotations },
      spec: { renewTime },
    } of await this.#read()) {
      if (
        Date.parse(renewTime ?? '') + duration * 1_000 < Date.now() ||
        (await processIsGone(annotations?.[processKey] ?? ''))
      )
        found.push(name);
    }
    return found;
  }

  async #read(): Promise<MarkObject[]> {
    const { name } = this.#environment;
    const leases = await this.#cluster.list<MarkObject>('Lease', {
      'app.kubernetes.io/instance': name,
      'app.kubernetes.io/component': 'drill',
      'app.kubernetes.io/managed-by': 'verdigris',
    });
    return leases.filter(({ metadata: { labels } }) => labels?.[cloneKey] !== undefined);
  }
}
