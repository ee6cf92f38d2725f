import { refuseNewer, tokenAnnotation } from '../../manifests/token.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import { apiRefusal } from '../kubernetes/failures.ts';
import type { Family, Target } from './target.ts';

/** Of the port, which a Service and its slices have in common. */
export const portName = 'postgres';

const ofService = 'kubernetes.io/service-name';
const managedBy = 'endpointslice.kubernetes.io/managed-by';

/** Makes slices of the pods that a selector names. */
const controller = 'endpointslice-controller.k8s.io';

interface SliceObject extends Stored {
  readonly addressType: Family;
  readonly endpoints: readonly { readonly addresses: readonly string[] }[] | null;
  readonly ports: readonly { readonly name?: string; readonly port?: number }[] | null;
}

/** The Service that a slice belongs to: it goes with it. */
export type Owner = Pick<Stored['metadata'], 'name' | 'uid'>;

/**
 * The EndpointSlice of a Service without selector: one address outside of the cluster, or none while the Service selects
 * pods. Changed by compare-and-swap, under a token that only grows.
 */
export class Slice {
  readonly #api: Cluster;
  readonly #name: string;
  readonly #family: Family;

  constructor(api: Cluster, service: string, family: Family) {
    this.#api = api;
    this.#name = `${service}-verdigris`;
    this.#family = family;
  }

  get where(): string {
    return `the EndpointSlice ${this.#api.namespace}/${this.#name}`;
  }

  /** Undefined where somebody deleted it. @throws VerdigrisError `stale-token` */
  async read(token: number): Promise<SliceObject | undefined> {
    const found = await this.#api.read<SliceObject>('EndpointSlice', this.#name);
    refuseNewer(found?.metadata.annotations, token, this.where);
    return found;
  }

  /** The address that it has for clients. */
  async target(): Promise<Target | undefined> {
    const found = await this.read(Infinity);
    const [host] = found?.endpoints?.[0]?.addresses ?? [];
    const port = found?.ports?.[0]?.port;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  /**
   * Makes it lead there. `found`: as it was read before the Service was changed, so that a newer operator's is not
   * written over. @throws VerdigrisError `object-conflict`
   */
  async lead(token: number, target: Target, owner: Owner, found: SliceObject | undefined): Promise<void> {
    const address = 'cluster' in target ? undefined : target;
    const said = {
      addressType: this.#family,
      endpoints: address ? [{ addresses: [address.host], conditions: { ready: true } }] : [],
      ports: [{ name: portName, protocol: 'TCP', ...(address ? { port: address.port } : {}) }],
    };
    const annotations = tokenAnnotation(token);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Service', name: owner.name, uid: owner.uid }];
    if (found) {
      const { metadata } = found;
      const kept = { ...metadata, ownerReferences, annotations: { ...metadata.annotations, ...annotations } };
      await this.#api.replace({ ...found, ...said, metadata: kept } as Stored);
      return;
    }
    const made = await this.#api.create({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: this.#name,
        labels: { [ofService]: owner.name, [managedBy]: 'verdigris' },
        annotations,
        ownerReferences,
      },
      ...said,
    });
    if (made) return;
    const asked = { verb: 'create', kind: 'EndpointSlice', namespace: this.#api.namespace, name: this.#name } as const;
    throw apiRefusal(asked, 409, { message: 'it is there by now' });
  }

  /** Asks the API server whether a change would be taken; it writes nothing. */
  async rehearse(): Promise<void> {
    const found = await this.read(Infinity);
    if (found) await this.#api.replace(found, { dryRun: true });
  }

  /**
   * What the cluster's own controllers have made of a selector that is gone: they leave it there, and it would lead
   * clients to pods.
   */
  async withoutOthers(service: string): Promise<void> {
    // First: of Endpoints slices would be made again.
    await this.#api.delete('Endpoints', service);
    for (const name of await this.others(service)) await this.#api.delete('EndpointSlice', name);
  }

  /**
   * Names of what else leads the Service's clients. `selecting`: without what the cluster's own controller makes of the
   * selector, and keeps to it.
   */
  async others(service: string, selecting = false): Promise<string[]> {
    const all = await this.#api.list<Stored>('EndpointSlice', { [ofService]: service });
    return all.flatMap(({ metadata: { name, labels } }) =>
      name === this.#name || (selecting && labels?.[managedBy] === controller) ? [] : [name],
    );
  }
}
