import type { TrafficDeclaration } from '../../model/server-kinds.ts';
import { domain } from '../../manifests/names.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import { Companion } from './companion.ts';
import { portName } from './slice.ts';
import { takenHost } from './taken.ts';
import { servicePort, type Target } from './target.ts';

type Declared = NonNullable<TrafficDeclaration['serviceEntry']>;

interface EntryObject extends Stored {
  readonly spec: { readonly hosts?: readonly string[] };
}

/** Istio's name for the live server: its address, or the Service that CloudNativePG keeps at its primary. */
export class MeshEntry extends Companion<EntryObject> {
  protected override readonly kind = 'ServiceEntry';
  protected override readonly labels: Readonly<Record<string, string>>;
  readonly #declared: Declared;

  constructor(api: Cluster, service: string, declared: Declared) {
    super(api, service);
    this.#declared = declared;
    this.labels = { [`${domain}/service`]: service };
  }

  /** @throws VerdigrisError `service-taken` where another of the namespace has the same name for clients. */
  override async read(token: number): Promise<EntryObject | undefined> {
    const { host } = this.#declared;
    const all = await this.api.list<EntryObject>(this.kind, {});
    const others = all.filter(({ metadata, spec }) => metadata.name !== this.name && spec.hosts?.includes(host));
    if (others.length > 0)
      throw takenHost(
        host,
        others.map(({ metadata }) => metadata.name),
      );
    return super.read(token);
  }

  protected override said(target: Target) {
    const { host, address } = this.#declared;
    const inside = 'cluster' in target;
    // Of a Cluster the name: its Service's address is another one when the Cluster was made again.
    const endpoint = inside
      ? { address: `${target.cluster}-rw.${this.api.namespace}.svc`, ports: { [portName]: servicePort } }
      : { address: target.host, ports: { [portName]: target.port } };
    return {
      spec: {
        hosts: [host],
        ...(address === undefined ? {} : { addresses: [address] }),
        ports: [{ number: servicePort, name: portName, protocol: 'TCP' }],
        location: 'MESH_EXTERNAL',
        resolution: inside ? 'DNS' : 'STATIC',
        endpoints: [endpoint],
      },
    };
  }
}
