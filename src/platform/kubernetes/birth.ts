import { commonLabels, domain, type Named } from '../../manifests/names.ts';
import type { Trace } from '../../model/birth.ts';
import type { Cluster, Stored } from './cluster.ts';

/** Label of servers and volumes: the uid of the environment that they belong to. */
export const uidLabel = `${domain}/environment`;

const kinds = ['StatefulSet', 'PersistentVolumeClaim'] as const;

interface Held extends Trace {
  readonly kind: (typeof kinds)[number];
  readonly object: Stored;
}

/** Servers and volumes of an environment, and the uid on each. One that lost its labels is known by its name. */
export class BirthLabels {
  readonly #cluster: Cluster;
  readonly #environment: Named;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  async traces(): Promise<Trace[]> {
    return (await this.#held()).map(({ what, uid }) => ({ what, ...(uid === undefined ? {} : { uid }) }));
  }

  async #held(): Promise<Held[]> {
    const { name } = this.#environment;
    const { 'app.kubernetes.io/managed-by': manager } = commonLabels(this.#environment, 'database');
    const ours = ({ metadata }: Stored): boolean =>
      new RegExp(`^${name}-(blue|green)(-\\d+(-log)?)?$`).test(metadata.name) ||
      (metadata.labels?.['app.kubernetes.io/instance'] === name &&
        metadata.labels['app.kubernetes.io/managed-by'] === manager);
    const each = async (kind: (typeof kinds)[number]): Promise<Held[]> =>
      (await this.#cluster.list<Stored>(kind, {})).filter(ours).map((object) => {
        const { name, deletionTimestamp, labels } = object.metadata;
        const going = deletionTimestamp === undefined ? '' : ' (being deleted)';
        return {
          kind,
          object,
          what: `${kind} ${this.#cluster.namespace}/${name}${going}`,
          uid: labels?.[uidLabel],
        };
      });
    return (await Promise.all(kinds.map(each))).flat();
  }

  async write(uid: string): Promise<void> {
    for (const { kind, object, uid: there } of await this.#held())
      if (there === undefined)
        await this.#cluster.merge(kind, object.metadata.name, { metadata: { labels: { [uidLabel]: uid } } });
  }
}
