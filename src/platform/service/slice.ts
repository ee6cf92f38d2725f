import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import { Companion } from './companion.ts';
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

/**
 * The EndpointSlice of a Service without selector: one address outside of the cluster, or none while the Service selects
 * pods.
 */
export class Slice extends Companion<SliceObject> {
  protected override readonly kind = 'EndpointSlice';
  protected override readonly labels: Readonly<Record<string, string>>;
  readonly #family: Family;

  constructor(api: Cluster, service: string, family: Family) {
    super(api, service);
    this.#family = family;
    this.labels = { [ofService]: service, [managedBy]: 'verdigris' };
  }

  /** The address that it has for clients. */
  async target(): Promise<Target | undefined> {
    const found = await this.read(Infinity);
    const [host] = found?.endpoints?.[0]?.addresses ?? [];
    const port = found?.ports?.[0]?.port;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  protected override said(target: Target) {
    const address = 'cluster' in target ? undefined : target;
    return {
      addressType: this.#family,
      endpoints: address ? [{ addresses: [address.host], conditions: { ready: true } }] : [],
      ports: [{ name: portName, protocol: 'TCP', ...(address ? { port: address.port } : {}) }],
    };
  }

  /**
   * What the cluster's own controllers have made of a selector that is gone: they leave it there, and it would lead
   * clients to pods.
   */
  async withoutOthers(): Promise<void> {
    // First: of Endpoints slices would be made again.
    await this.api.delete('Endpoints', this.service);
    for (const name of await this.others()) await this.api.delete('EndpointSlice', name);
  }

  /**
   * Names of what else leads the Service's clients. `selecting`: without what the cluster's own controller makes of the
   * selector, and keeps to it.
   */
  async others(selecting = false): Promise<string[]> {
    const all = await this.api.list<Stored>('EndpointSlice', { [ofService]: this.service });
    return all.flatMap(({ metadata: { name, labels } }) =>
      name === this.name || (selecting && labels?.[managedBy] === controller) ? [] : [name],
    );
  }
}
